import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Report } from '../../src/report.ts';
import { readJournal } from '../../src/state/journal.ts';
import { killer } from '../support/killer.ts';
import { type AwsCloud, addresses, awsCloud, type Installation, installation } from '../support/pass.ts';

const NO_LIMITS = { maxShrink: { count: null, percent: null }, maxGrowth: { count: null, percent: null } };

async function start(
  published: readonly string[],
  safety: Record<string, unknown> = {},
  more: Partial<Parameters<typeof installation>[0]> = {},
  cloud: Parameters<typeof awsCloud>[0] = {},
): Promise<{ aws: AwsCloud; place: Installation; target: (report: Report) => Report['targets'][number] }> {
  const aws = await awsCloud(cloud);
  const place = await installation({
    targets: [aws.target()],
    env: aws.env,
    published,
    config: { safety },
    ...more,
  });
  const target = (report: Report) => {
    const [only] = report.targets;
    if (!only) throw new Error('no target in the report');
    return only;
  };
  return { aws, place, target };
}

test('an address that left the list stays for the delay, is shown with its time, and goes after it', async () => {
  const { aws, place, target } = await start(addresses(4));
  await place.sync();
  await place.publish(addresses(3));
  const gone = place.clock.now();
  const first = await place.sync();
  expect(first).toMatchObject({ exitCode: 0, targets: [{ status: 'in-sync', drift: [] }] });
  expect(target(first).pendingRemovals).toEqual([
    {
      cidr: '34.19.100.4/32',
      protocol: 'tcp',
      ports: '5432',
      removeAfter: new Date(gone + 24 * 3_600_000).toISOString(),
    },
  ]);
  expect((await place.check()).exitCode).toBe(0);
  place.clock.advance('23h');
  await place.sync();
  expect(aws.allowed()).toEqual(addresses(4));
  place.clock.advance('1h');
  const last = await place.sync();
  expect(target(last)).toMatchObject({
    status: 'changed',
    pendingRemovals: [],
    changes: [{ action: 'remove', cidr: '34.19.100.4/32', cause: 'source-changed', applied: true }],
  });
  expect(aws.allowed()).toEqual(addresses(3));
});

test('the delay alone is not enough: a second agreed list must miss the address too', async () => {
  const { aws, place } = await start(addresses(4));
  await place.sync();
  await place.publish(addresses(3));
  await place.sync();
  await place.publishText(null);
  place.clock.advance('30h');
  const blind = await place.sync();
  expect(blind).toMatchObject({ exitCode: 1, targets: [{ status: 'in-sync', pendingRemovals: [{}] }] });
  expect(aws.allowed()).toEqual(addresses(4));
  await place.publish(addresses(3));
  await place.sync();
  expect(aws.allowed()).toEqual(addresses(3));
});

test('an address that comes back stops its clock', async () => {
  const { aws, place, target } = await start(addresses(4));
  await place.sync();
  await place.publish(addresses(3));
  await place.sync();
  place.clock.advance('23h');
  await place.publish(addresses(4));
  await place.sync();
  await place.publish(addresses(3));
  place.clock.advance('2h');
  expect(target(await place.sync()).pendingRemovals).toHaveLength(1);
  place.clock.advance('2h');
  await place.sync();
  expect(aws.allowed()).toEqual(addresses(4));
});

test('without a delay an address goes at once, with a state or without', async () => {
  const { aws, place } = await start(addresses(8), { removalDelay: '0s' });
  await place.sync();
  await place.publish(addresses(7));
  await place.sync();
  expect(aws.allowed()).toEqual(addresses(7));
  await place.loseState();
  await place.publish(addresses(6));
  const report = await place.sync();
  expect(aws.allowed()).toEqual(addresses(6));
  expect(report.targets[0]?.warnings.map(({ code }) => code)).toEqual(['state-lost']);
});

test('a lost state is never faster: the delay starts again, and what the targets hold is the baseline', async () => {
  const { aws, place, target } = await start(addresses(6));
  await place.sync();
  await place.publish(addresses(5));
  await place.sync();
  place.clock.advance('23h');
  await place.loseState();
  const lost = await place.sync();
  expect(target(lost).warnings.map(({ code }) => code)).toEqual(['state-lost']);
  expect(target(lost).pendingRemovals).toHaveLength(1);
  place.clock.advance('2h');
  await place.sync();
  expect(aws.allowed()).toEqual(addresses(6));
  await place.loseState();
  await place.publish(addresses(2));
  expect(await place.sync()).toMatchObject({
    exitCode: 3,
    egress: { cidrs: null, held: [{ guard: 'shrink' }] },
  });
  expect(aws.allowed()).toEqual(addresses(6));
});

test('a list is not believed to be the first one ever while a target cannot be read', async () => {
  const { aws, place } = await start(addresses(4));
  await place.sync();
  await place.loseState();
  place.configure({ targets: [aws.target({ groupId: 'sg-0fffffffffffffff0' })] });
  await place.publish(addresses(200, 1).slice(0, 100));
  await place.sync();
  expect((await place.state()).accepted).toBeNull();
  place.configure({ targets: [aws.target()] });
  expect(await place.sync()).toMatchObject({ exitCode: 3, egress: { held: [{ guard: 'growth' }] } });
  expect(aws.allowed()).toEqual(addresses(4));
});

test('with one source silent what the others add is added, and nothing is removed', async () => {
  const { aws, place, target } = await start(addresses(6), { removalDelay: '0s' }, { sources: 2 });
  await place.sync();
  await place.publishText(null, 1);
  await place.publish([...addresses(5), '34.19.100.9/32'], 0);
  const partial = await place.sync();
  expect(partial.exitCode).toBe(1);
  expect(partial.egress.removed).toEqual([]);
  expect(aws.allowed()).toEqual([...addresses(6), '34.19.100.9/32']);
  await place.publish([...addresses(5), '34.19.100.9/32']);
  const whole = await place.sync();
  expect(target(whole).changes).toMatchObject([{ action: 'remove', cidr: '34.19.100.6/32', applied: true }]);
});

test('sources that disagree change nothing, and what a hand broke is still repaired from the last list', async () => {
  const { aws, place } = await start(addresses(3), {}, { sources: 2 });
  await place.sync();
  await place.publish(addresses(4), 1);
  aws.remove('34.19.100.1/32');
  const report = await place.sync();
  expect(report).toMatchObject({
    exitCode: 1,
    error: { code: 'sources-disagree' },
    egress: { candidate: null, cidrs: addresses(3) },
    targets: [{ status: 'changed' }],
  });
  expect(aws.allowed()).toEqual(addresses(3));
});

test('without any list targets are skipped and nobody is asked', async () => {
  const { aws, place } = await start([]);
  await place.publishText(null);
  const report = await place.sync();
  expect(report).toMatchObject({
    exitCode: 1,
    egress: { cidrs: null, listId: null },
    targets: [{ status: 'skipped', planId: null, apiCalls: 0 }],
  });
  expect(aws.requests()).toEqual([]);
});

test.each([
  ['special-addresses', [...addresses(3), '10.1.2.3/32']],
  ['prefix-length', [...addresses(3), '34.99.0.0/16']],
  ['max-entries', addresses(201)],
  ['min-entries', addresses(1)],
])(
  'a list that %s refuses changes nothing, cannot be approved, and leaves repairs on',
  async (guard, list) => {
    const { aws, place } = await start(addresses(3), { minEntries: 2 });
    await place.sync();
    await place.publish(list);
    aws.remove('34.19.100.1/32');
    const refused = await place.sync();
    expect(refused).toMatchObject({
      exitCode: 1,
      error: { code: 'list-refused' },
      egress: { cidrs: addresses(3), refused: [{ guard }], held: [] },
    });
    expect(refused.egress.candidate).toHaveLength(new Set(list).size);
    const approved = await place.sync({ approve: [refused.egress.listId ?? ''] });
    expect(approved).toMatchObject({ exitCode: 1, approvals: [{ used: false }] });
    expect(aws.allowed()).toEqual(addresses(3));
  },
);

test.each([
  ['growth', addresses(4), addresses(7)],
  ['shrink', addresses(3), addresses(2)],
  ['shrink', addresses(18), addresses(12)],
  ['growth', addresses(30), addresses(41)],
])('%s beyond the limit is held whole, and its list id releases it once', async (guard, before, after) => {
  const { aws, place } = await start(before, { removalDelay: '0s' });
  await place.sync();
  await place.publish(after);
  const dry = await place.dryRun();
  const held = await place.sync();
  expect(held).toMatchObject({
    exitCode: 3,
    egress: { cidrs: before, candidate: after, held: [{ guard, id: dry.egress.listId }] },
  });
  expect(aws.allowed()).toEqual(before);
  expect((await place.check()).exitCode).toBe(3);
  const id = held.egress.listId ?? '';
  await place.publish([...after, '34.19.100.200/32']);
  const other = await place.sync({ approve: [id] });
  expect(other).toMatchObject({ exitCode: 3, approvals: [{ id, used: false }] });
  expect(aws.allowed()).toEqual(before);
  await place.publish(after);
  expect(await place.sync({ approve: [id] })).toMatchObject({ exitCode: 0, approvals: [{ id, used: true }] });
  expect(aws.allowed()).toEqual(after);
  const { entries } = await readJournal(join(place.dir, 'state'), { limit: 50 });
  const approvals = entries.flatMap(({ record }) => (record.type === 'approved' ? [record] : []));
  expect(approvals).toMatchObject([{ id, user: 'kim', host: 'bastion' }]);
  await place.publish(before);
  await place.sync({ approve: [(await place.dryRun()).egress.listId ?? ''] });
  await place.publish(after);
  expect((await place.sync()).exitCode).toBe(3);
});

test('growth and shrink at their limits pass', async () => {
  const { place } = await start(addresses(10));
  await place.sync();
  await place.publish(addresses(15));
  expect((await place.sync()).exitCode).toBe(0);
  place.clock.advance('8d');
  await place.sync();
  place.clock.advance('1h');
  await place.publish(addresses(11));
  expect((await place.sync()).exitCode).toBe(0);
});

test('what bleeds slowly is measured against the largest list of the last seven days', async () => {
  const { place } = await start(addresses(18));
  await place.sync();
  for (const left of [16, 14, 13]) {
    place.clock.advance('1d');
    await place.publish(addresses(left));
    expect((await place.sync()).exitCode).toBe(0);
  }
  place.clock.advance('1d');
  await place.publish(addresses(12));
  expect(await place.sync()).toMatchObject({ exitCode: 3, egress: { held: [{ guard: 'shrink' }] } });
});

test('an approved list of a run that is killed needs no second approval', async () => {
  const kill = killer();
  const { aws, place } = await start(addresses(4), {}, {}, { observe: kill.observe });
  await place.sync();
  await place.publish(addresses(9));
  const { egress } = await place.sync();
  await kill.during((killed) => place.sync({ approve: [egress.listId ?? ''], killed }));
  expect(await place.sync()).toMatchObject({ exitCode: 0, egress: { cidrs: addresses(9) } });
  expect(aws.allowed()).toEqual(addresses(9));
  const { entries } = await readJournal(join(place.dir, 'state'), { limit: 50 });
  expect(entries.filter(({ record }) => record.type === 'approved')).toHaveLength(1);
});

test('a held list is no failure to fetch', async () => {
  const { place } = await start(addresses(4));
  await place.sync();
  await place.publish(addresses(9));
  place.clock.advance('1h');
  await place.sync();
  expect((await place.state()).lastAgreedAt).toBe(place.clock.now());
});

test('new addresses outside the publisher’s ranges are held, and those inside lift the growth limit', async () => {
  const provenance = {
    sources: ['file'],
    url: 'http://127.0.0.1:1/cloud.json',
    whenUnavailable: 'hold',
  };
  const { createServer } = await import('node:http');
  const server = createServer((_request, response) => {
    const prefixes = [{ ipv4Prefix: '34.19.0.0/17', service: 'Google Cloud', scope: 'us-west1' }];
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ prefixes }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const { aws, place } = await start(addresses(4), { provenance });
  expect(await place.sync()).toMatchObject({ exitCode: 3, egress: { held: [{ guard: 'provenance' }] } });
  place.configure({
    config: { safety: { provenance: { ...provenance, url: `http://127.0.0.1:${port}/cloud.json` } } },
  });
  expect((await place.sync()).exitCode).toBe(0);
  await place.publish(addresses(18));
  expect((await place.sync()).exitCode).toBe(0);
  await place.publish([...addresses(18), '34.99.0.1/32']);
  expect(await place.sync()).toMatchObject({ exitCode: 3, egress: { held: [{ guard: 'provenance' }] } });
  expect(aws.allowed()).toEqual(addresses(18));
  await new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
});

test('a state that cannot be read is a lost one, and says so', async () => {
  const { place, target } = await start(addresses(3), NO_LIMITS);
  await place.sync();
  await writeFile(join(place.dir, 'state', 'state.json'), '{"version":1');
  const report = await place.sync();
  expect(target(report).warnings).toMatchObject([{ code: 'state-lost' }]);
  expect(report.exitCode).toBe(0);
});
