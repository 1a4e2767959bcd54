import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatMarker } from '../../providers/provider.ts';
import { renderMarkdown } from '../../src/render/markdown.ts';
import { styleFor } from '../../src/render/style.ts';
import { renderReport } from '../../src/render/text.ts';
import { PROJECT, RULE } from '../providers/gcp/fixture.ts';
import { addresses, awsCloud, gcpCloud, installation } from '../support/pass.ts';

const OFFICE = '198.100.0.7/32';
const AT_ONCE = { removalDelay: '0s' };
const NO_LIMITS = { maxShrink: { count: null, percent: null }, maxGrowth: { count: null, percent: null } };
const marker = (target: string, owner = 'acme') => formatMarker({ owner, target });

test('an AWS change costs a read, an add, a proving read and a removal, and no more', async () => {
  const aws = await awsCloud();
  const place = await installation({
    targets: [aws.target()],
    env: aws.env,
    published: addresses(10),
    config: { safety: AT_ONCE },
  });
  await place.sync();
  aws.requests();
  await place.publish(addresses(10, 2));
  const report = await place.sync();
  expect(aws.requests()).toEqual([
    'DescribeSecurityGroupRules',
    'AuthorizeSecurityGroupIngress',
    'DescribeSecurityGroupRules',
    'RevokeSecurityGroupIngress',
  ]);
  expect(report.targets[0]?.apiCalls).toBe(4);
  await place.publish(addresses(11, 2));
  await place.sync();
  expect(aws.requests()).toHaveLength(3);
  await place.publish(addresses(10, 2));
  await place.sync();
  expect(aws.requests()).toEqual(['DescribeSecurityGroupRules', 'RevokeSecurityGroupIngress']);
});

test('dry run and check write to no target, leave no state, and show what sync then does', async () => {
  const [aws, gcp] = [await awsCloud(), await gcpCloud()];
  const place = await installation({
    targets: [aws.target(), gcp.target()],
    env: { ...aws.env, ...gcp.env },
    published: addresses(3),
  });
  const dry = await place.dryRun();
  const check = await place.check();
  const detailed = await place.dryRun({ detailedExitCode: true });
  expect([dry.exitCode, check.exitCode, detailed.exitCode]).toEqual([0, 2, 2]);
  expect([...aws.ec2.requests, ...gcp.compute.requests].filter(({ writes }) => writes)).toEqual([]);
  await expect(readFile(join(place.dir, 'state', 'state.json'))).rejects.toThrow('ENOENT');
  const sync = await place.sync();
  expect(sync.targets.map(({ planId }) => planId)).toEqual(dry.targets.map(({ planId }) => planId));
  expect(dry.targets).toMatchObject([{ status: 'would-change' }, { status: 'would-change' }]);
});

test('a target that fails is told, and the others are done', async () => {
  const [aws, gcp] = [await awsCloud(), await gcpCloud()];
  const place = await installation({
    targets: [aws.target({ name: 'typo', groupId: 'sg-0fffffffffffffff0' }), aws.target(), gcp.target()],
    env: { ...aws.env, ...gcp.env },
    published: addresses(3),
  });
  const report = await place.sync();
  expect(report.exitCode).toBe(1);
  expect(report.targets).toMatchObject([
    { name: 'typo', status: 'failed', error: { code: 'target-missing' } },
    { name: 'orders', status: 'changed', error: null },
    { name: 'analytics', status: 'changed', error: null },
  ]);
});

test('only the targets that are named are looked at, and the others stay remembered', async () => {
  const [aws, gcp] = [await awsCloud(), await gcpCloud()];
  const place = await installation({
    targets: [aws.target(), gcp.target()],
    env: { ...aws.env, ...gcp.env },
    published: addresses(3),
  });
  await place.sync();
  gcp.requests();
  expect((await place.sync({ only: ['orders'] })).targets.map(({ name }) => name)).toEqual(['orders']);
  expect(gcp.requests()).toEqual([]);
  expect(Object.keys((await place.state()).targets)).toEqual(['orders', 'analytics']);
});

test.each(['observe', 'add-only'] as const)(
  'mode %s leaves what it must not do as would-change',
  async (mode) => {
    const aws = await awsCloud();
    const place = await installation({
      targets: [aws.target()],
      env: aws.env,
      published: addresses(10),
      config: { safety: AT_ONCE },
    });
    await place.sync();
    place.configure({ targets: [aws.target({ mode })] });
    await place.publish(addresses(10, 2));
    await place.sync();
    expect(aws.allowed()).toEqual(mode === 'observe' ? addresses(10) : addresses(11));
    expect(await place.sync()).toMatchObject({ exitCode: 0, targets: [{ status: 'would-change' }] });
    expect((await place.check()).exitCode).toBe(2);
  },
);

test('extra addresses come and go with the config at once, and never wait', async () => {
  const aws = await awsCloud();
  const place = await installation({ targets: [aws.target()], env: aws.env, published: addresses(3) });
  await place.sync();
  place.configure({ targets: [aws.target({ extraCidrs: [OFFICE] })] });
  const added = await place.sync();
  expect(added.targets[0]?.changes).toMatchObject([{ action: 'add', cidr: OFFICE, cause: 'config-changed' }]);
  place.configure({ targets: [aws.target()] });
  const removed = await place.sync();
  expect(removed.targets[0]?.changes).toMatchObject([
    { action: 'remove', cidr: OFFICE, cause: 'config-changed', applied: true },
  ]);
  expect(aws.allowed()).toEqual(addresses(3));
});

test('an extra address that left the published list lately still waits for the delay', async () => {
  const aws = await awsCloud();
  const place = await installation({
    targets: [aws.target({ extraCidrs: ['34.19.100.4/32'] })],
    env: aws.env,
    published: addresses(4),
  });
  await place.sync();
  await place.publish(addresses(3));
  await place.sync();
  place.configure({ targets: [aws.target()] });
  const report = await place.sync();
  expect(report.targets[0]).toMatchObject({
    status: 'in-sync',
    pendingRemovals: [{ cidr: '34.19.100.4/32' }],
  });
});

test('excluded addresses are not let in, and are taken away once they are excluded', async () => {
  const aws = await awsCloud();
  const place = await installation({ targets: [aws.target()], env: aws.env, published: addresses(4) });
  await place.sync();
  place.configure({ targets: [aws.target({ excludeCidrs: ['34.19.100.4/32'] })] });
  const report = await place.sync();
  expect(report.targets[0]?.changes).toMatchObject([{ action: 'remove', cause: 'config-changed' }]);
  expect(aws.allowed()).toEqual(addresses(3));
});

test('another port is opened and proven before the old one is closed', async () => {
  const views: number[][] = [];
  const aws = await awsCloud({
    observe: ({ writes }) => {
      if (writes) views.push([aws.allowed(5432).length, aws.allowed(6432).length]);
    },
  });
  const place = await installation({ targets: [aws.target()], env: aws.env, published: addresses(3) });
  await place.sync();
  place.configure({ targets: [aws.target({ allow: [{ protocol: 'tcp', ports: [6432] }] })] });
  const report = await place.sync();
  expect(report.targets[0]?.changes.map(({ cause }) => cause)).toEqual(Array(6).fill('config-changed'));
  expect(views).toEqual([
    [3, 0],
    [3, 3],
    [0, 3],
  ]);
});

test('a renamed target takes its entries along: marked anew on both clouds, and nothing is lost', async () => {
  const [aws, gcp] = [await awsCloud(), await gcpCloud()];
  const place = await installation({
    targets: [aws.target({ name: 'old' }), gcp.target({ name: 'older' })],
    env: { ...aws.env, ...gcp.env },
    published: addresses(3),
  });
  await place.sync();
  place.configure({
    targets: [
      aws.target({ name: 'new', previousNames: ['old'] }),
      gcp.target({ name: 'newer', previousNames: ['older'] }),
    ],
  });
  const report = await place.sync();
  expect(report).toMatchObject({ exitCode: 0, targets: [{ status: 'changed' }, { status: 'changed' }] });
  expect(report.targets.flatMap(({ changes }) => changes.map(({ cause }) => cause))).toEqual(
    Array(4).fill('config-changed'),
  );
  const descriptions = aws.ec2
    .rules(aws.groupId)
    .flatMap(({ isEgress, description }) => (isEgress ? [] : description));
  expect(new Set(descriptions)).toEqual(new Set([marker('new')]));
  expect(gcp.compute.rule(PROJECT, RULE)?.description).toBe(marker('newer'));
  expect(await place.sync()).toMatchObject({ targets: [{ status: 'in-sync' }, { status: 'in-sync' }] });
});

test('without previousNames the old entries count as satisfied, stay, and are told as orphaned', async () => {
  const aws = await awsCloud();
  const place = await installation({
    targets: [aws.target({ name: 'old' })],
    env: aws.env,
    published: addresses(3),
  });
  await place.sync();
  place.configure({ targets: [aws.target({ name: 'new' })] });
  const report = await place.sync();
  expect(report.targets[0]).toMatchObject({ status: 'in-sync' });
  expect(report.targets[0]?.warnings.map(({ code }) => code)).toEqual(['satisfied-by-unowned', 'orphaned']);
});

test('what a rename remembers survives a pass that did not look at the target', async () => {
  const [aws, gcp] = [await awsCloud(), await gcpCloud()];
  const place = await installation({
    targets: [aws.target({ name: 'old' }), gcp.target()],
    env: { ...aws.env, ...gcp.env },
    published: addresses(3),
  });
  await place.sync();
  place.configure({ targets: [aws.target({ name: 'new', previousNames: ['old'] }), gcp.target()] });
  await place.sync({ only: ['analytics'] });
  aws.remove('34.19.100.1/32');
  place.clock.advance('1h');
  expect((await place.check()).targets[0]?.drift).toMatchObject([{ cause: 'removed-by-hand' }]);
});

test('a full group gives up what is no longer published first, and never what is', async () => {
  const aws = await awsCloud({ quota: 10 });
  const target = aws.target({ maxRules: 10 });
  const place = await installation({ targets: [target], env: aws.env, published: addresses(10) });
  await place.sync();
  aws.requests();
  await place.publish(addresses(10, 3));
  const report = await place.sync();
  expect(report).toMatchObject({ exitCode: 0, targets: [{ status: 'changed' }] });
  expect(aws.requests()).toEqual([
    'DescribeSecurityGroupRules',
    'RevokeSecurityGroupIngress',
    'AuthorizeSecurityGroupIngress',
    'DescribeSecurityGroupRules',
  ]);
  expect(aws.allowed()).toEqual(addresses(10, 3));
});

test('a group that cannot hold the list is refused whole, with the numbers', async () => {
  const aws = await awsCloud({ quota: 5 });
  for (const n of [1, 2, 3]) aws.add(`198.100.1.${n}/32`, 'somebody else');
  const place = await installation({
    targets: [aws.target({ maxRules: 5 })],
    env: aws.env,
    published: addresses(3),
  });
  const report = await place.sync();
  expect(report).toMatchObject({ exitCode: 3, targets: [{ status: 'held', held: [{ guard: 'capacity' }] }] });
  expect(report.targets[0]?.held[0]?.detail).toContain(
    '3 ipv4 entries there and 3 to add exceed the limit of 5',
  );
  expect(aws.allowed()).not.toContain('34.19.100.1/32');
});

test('identical entries of others are counted, and taken over only where the config says adopt', async () => {
  const aws = await awsCloud();
  for (const cidr of addresses(2)) aws.add(cidr, 'by hand');
  const place = await installation({
    targets: [aws.target()],
    env: aws.env,
    published: addresses(3),
    config: { safety: { ...AT_ONCE, ...NO_LIMITS } },
  });
  expect((await place.sync()).targets[0]?.warnings.map(({ code }) => code)).toEqual(['satisfied-by-unowned']);
  await place.publish(addresses(2, 2));
  const stale = await place.sync();
  expect(stale.targets[0]?.warnings.map(({ code }) => code)).toContain('stale-unmanaged');
  expect(aws.allowed()).toEqual(addresses(3));
  place.configure({ targets: [aws.target({ adopt: true })] });
  await place.sync();
  await place.publish(addresses(1, 3));
  await place.sync();
  expect(aws.allowed()).toEqual(['34.19.100.1/32', '34.19.100.3/32']);
});

test('a GCP rule of somebody else is refused; adopted, what else it held waits for approval by its plan', async () => {
  const gcp = await gcpCloud();
  const strangers = ['198.100.1.1/32', '198.100.1.2/32'];
  gcp.compute.insert(PROJECT, {
    name: RULE,
    sourceRanges: [...strangers, '34.19.100.1/32'],
    allowed: [{ IPProtocol: 'tcp', ports: ['5432'] }],
    targetTags: ['postgres'],
  });
  const place = await installation({ targets: [gcp.target()], env: gcp.env, published: addresses(3) });
  expect(await place.sync()).toMatchObject({ exitCode: 1, targets: [{ error: { code: 'not-owned' } }] });
  place.configure({ targets: [gcp.target({ adopt: true })] });
  const adopted = await place.sync();
  expect(adopted).toMatchObject({
    exitCode: 3,
    targets: [{ status: 'held', held: [{ guard: 'adoption' }] }],
  });
  expect(gcp.allowed()).toEqual([...addresses(3), ...strangers]);
  expect(await place.sync()).toMatchObject({ exitCode: 3, targets: [{ held: adopted.targets[0]?.held }] });
  const released = await place.sync({ approve: [adopted.targets[0]?.planId ?? ''] });
  expect(released).toMatchObject({ exitCode: 0, approvals: [{ used: true }] });
  expect(gcp.allowed()).toEqual(addresses(3));
});

test('more removals than the limit are held on the target while additions go on; the id shown releases them', async () => {
  const aws = await awsCloud();
  const extras = [1, 2, 3].map((n) => `198.100.1.${n}/32`);
  const place = await installation({
    targets: [aws.target({ extraCidrs: extras })],
    env: aws.env,
    published: addresses(4),
  });
  await place.sync();
  place.configure({ targets: [aws.target({ extraCidrs: [OFFICE] })] });
  const held = await place.sync();
  expect(held).toMatchObject({ exitCode: 3, targets: [{ status: 'held', held: [{ guard: 'shrink' }] }] });
  expect(held.targets[0]?.held[0]?.detail).toContain('3 of 7 addresses would be removed');
  expect(aws.allowed()).toEqual([...addresses(4), OFFICE, ...extras]);
  expect((await place.state()).held).toMatchObject([
    { id: held.targets[0]?.planId, kind: 'plan', target: 'orders' },
  ]);
  const released = await place.sync({ approve: [held.targets[0]?.planId ?? ''] });
  expect(released).toMatchObject({ exitCode: 0, approvals: [{ used: true }] });
  expect(aws.allowed()).toEqual([...addresses(4), OFFICE]);
  expect((await place.state()).held).toEqual([]);
});

test('an approved plan is still approved after a lost race, but not what came on top of it', async () => {
  const extras = [1, 2, 3].map((n) => `198.100.1.${n}/32`);
  let meddle: ((operation: string) => void) | undefined;
  const aws = await awsCloud({ observe: ({ operation }) => meddle?.(operation) });
  const place = await installation({
    targets: [aws.target({ extraCidrs: extras })],
    env: aws.env,
    published: addresses(4),
  });
  await place.sync();
  place.configure({ targets: [aws.target({ extraCidrs: [OFFICE] })] });
  const id = (await place.dryRun()).targets[0]?.planId ?? '';
  meddle = (operation) => {
    if (operation !== 'AuthorizeSecurityGroupIngress') return;
    meddle = undefined;
    // After the proof, before the removal.
    const proofs = aws.ec2.requests.length + 1;
    meddle = () => {
      if (aws.ec2.requests.length === proofs) aws.remove('198.100.1.1/32');
    };
  };
  const report = await place.sync({ approve: [id] });
  expect(report).toMatchObject({ exitCode: 0, targets: [{ status: 'changed', held: [] }] });
  expect(aws.allowed()).toEqual([...addresses(4), OFFICE]);
  expect(aws.requests().filter((operation) => operation === 'RevokeSecurityGroupIngress')).toHaveLength(2);
});

test('the id that a dry run shows releases the plan as it was shown', async () => {
  const aws = await awsCloud();
  const extras = [1, 2, 3].map((n) => `198.100.1.${n}/32`);
  const place = await installation({
    targets: [aws.target({ extraCidrs: extras })],
    env: aws.env,
    published: addresses(4),
  });
  await place.sync();
  place.configure({ targets: [aws.target({ extraCidrs: [OFFICE] })] });
  const dry = await place.dryRun();
  expect(dry.exitCode).toBe(3);
  expect((await place.sync({ approve: [dry.targets[0]?.planId ?? ''] })).exitCode).toBe(0);
  expect(aws.allowed()).toEqual([...addresses(4), OFFICE]);
});

test('too many targets changing at once are all held; one id releases them together, or a plan id one of them', async () => {
  const [aws, gcp] = [await awsCloud(), await gcpCloud()];
  const place = await installation({
    targets: [aws.target(), gcp.target()],
    env: { ...aws.env, ...gcp.env },
    published: addresses(3),
    config: { safety: { maxTargetsChanged: 1 } },
  });
  const held = await place.sync();
  expect(held).toMatchObject({ exitCode: 3, targets: [{ status: 'held' }, { status: 'held' }] });
  expect([...aws.allowed(), ...gcp.allowed()]).toEqual([]);
  expect(held.targets[0]?.held).toMatchObject([{ guard: 'blast-radius', id: held.targets[1]?.held[0]?.id }]);
  expect(await place.sync({ approve: [held.targets[0]?.planId ?? ''] })).toMatchObject({
    targets: [{ status: 'changed' }, { status: 'held' }],
  });
  aws.remove('34.19.100.1/32');
  gcp.requests();
  const again = await place.sync();
  await place.sync({ approve: [again.targets[0]?.held[0]?.id ?? ''] });
  expect([aws.allowed(), gcp.allowed()]).toEqual([addresses(3), addresses(3)]);
});

test('a guard that is off for one target is off there alone, removals included, and every report says so', async () => {
  const [aws, gcp] = [await awsCloud(), await gcpCloud()];
  const off = { shrink: 'off', 'special-addresses': 'off' };
  const place = await installation({
    targets: [aws.target({ guards: off }), gcp.target()],
    env: { ...aws.env, ...gcp.env },
    published: addresses(4),
  });
  await place.sync();
  await place.publish([...addresses(2), '10.1.2.3/32']);
  const report = await place.sync();
  expect(report.exitCode).toBe(1);
  expect(report.targets[0]?.warnings.filter(({ code }) => code === 'guard-off')).toHaveLength(2);
  expect(aws.allowed()).toEqual(['10.1.2.3/32', ...addresses(4)]);
  place.clock.advance('25h');
  await place.sync();
  expect(aws.allowed()).toEqual(['10.1.2.3/32', ...addresses(2)]);
  expect(gcp.allowed()).toEqual(addresses(4));
  await place.publishText(null);
  place.clock.advance('1h');
  aws.remove('10.1.2.3/32');
  await place.sync();
  expect(aws.allowed()).toEqual(['10.1.2.3/32', ...addresses(2)]);
});

test('a port open to everyone is a warning, whoever opened it', async () => {
  const [aws, gcp] = [await awsCloud(), await gcpCloud()];
  aws.add('0.0.0.0/0', 'temporary');
  aws.add('::/0', marker('orders'));
  gcp.compute.insert(PROJECT, { name: 'wide', allowed: [{ IPProtocol: 'tcp', ports: ['5000-6000'] }] });
  const place = await installation({
    targets: [aws.target({ mode: 'observe' }), gcp.target()],
    env: { ...aws.env, ...gcp.env },
    published: addresses(3),
    config: { safety: NO_LIMITS },
  });
  const { targets } = await place.check();
  const codes = targets.map(({ warnings }) => warnings.map(({ code }) => code));
  expect(codes).toEqual([['state-lost', 'open-to-world', 'open-to-world'], ['open-to-world']]);
});

test('reads that lag are waited for; what still does not show defers the removals and says so', async () => {
  const aws = await awsCloud({ readLag: 3 });
  const place = await installation({
    targets: [aws.target()],
    env: aws.env,
    published: addresses(4),
    config: { safety: { ...AT_ONCE, ...NO_LIMITS } },
  });
  expect(await place.sync()).toMatchObject({ exitCode: 0, targets: [{ status: 'changed', warnings: [] }] });
  const slow = await awsCloud({ readLag: 40 });
  for (const cidr of addresses(1)) slow.add(cidr, marker('orders'));
  const other = await installation({
    targets: [slow.target()],
    env: slow.env,
    published: addresses(2, 2),
    config: { safety: { ...AT_ONCE, ...NO_LIMITS } },
  });
  const report = await other.sync();
  expect(report.targets[0]?.warnings.map(({ code }) => code)).toContain('unproven');
  expect(slow.allowed()).toEqual(addresses(3));
});

test('a deadline that passes while a proof is awaited is told as such, and the next pass goes on', async () => {
  const aws = await awsCloud({ readLag: 4 });
  const place = await installation({
    targets: [aws.target()],
    env: aws.env,
    published: addresses(4),
    config: { safety: { deadline: '2s' } },
  });
  const report = await place.sync();
  expect(report).toMatchObject({ exitCode: 1, targets: [{ status: 'failed', error: { code: 'deadline' } }] });
  expect(report.targets[0]?.warnings.map(({ code }) => code)).toContain('unproven');
  place.configure({ config: { safety: { deadline: '5m' } } });
  expect((await place.sync()).exitCode).toBe(0);
  expect(aws.allowed()).toEqual(addresses(4));
});

test('what somebody wrote into a description moves no cursor, whatever shows it', async () => {
  const gcp = await gcpCloud();
  gcp.compute.insert(PROJECT, {
    name: RULE,
    description: 'mine\n\u001b[2J\u202eevil',
    sourceRanges: addresses(3),
    allowed: [{ IPProtocol: 'tcp', ports: ['5432'] }],
  });
  const place = await installation({
    targets: [gcp.target({ adopt: true })],
    env: gcp.env,
    published: addresses(3),
  });
  const report = await place.sync();
  const shown = [
    ...renderReport(report, styleFor(false)),
    ...renderMarkdown(report),
    ...JSON.stringify(report).split('\n'),
  ];
  expect(shown.join('')).toContain('mine \\u{1b}[2J');
  expect(shown.filter((text) => /[\p{Cc}\p{Cf}]/u.test(text))).toEqual([]);
});
