import type { EC2 } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { formatMarker } from '../../providers/provider.ts';
import { reportOf } from '../cli/documents.ts';
import { environment } from '../providers/aws/fixture.ts';
import { type Workplace, workplace } from '../support/cli.ts';
import { PUBLISHED } from '../support/published.ts';
import { clientOf, inbound, makeGroup } from './fixture.ts';
import { type Moto, startMoto } from './server.ts';

/* The program itself, spawned, on an EC2 that nobody here wrote. */

const MARKER = formatMarker({ owner: 'acme', target: 'orders' });
const STRANGER = '198.51.100.7/32';

let moto: Moto;
let client: EC2;
let groupId: string;

beforeAll(async () => {
  moto = await startMoto();
  client = clientOf(moto);
});

afterAll(async () => {
  client?.destroy();
  await moto?.close();
});

beforeEach(async () => {
  groupId = await makeGroup(client, moto);
});

function installed(): Workplace {
  const allow = [{ protocol: 'tcp', ports: [5432] }];
  const target = { name: 'orders', provider: 'aws-security-group', region: 'us-west-2', groupId, allow };
  const place = workplace({ targets: [target], safety: {} }, environment(moto.url));
  place.write('list.txt', PUBLISHED.join('\n'));
  return place;
}

/** Lets addresses in as a person does in the console. */
async function addByHand(cidrs: readonly string[], Description?: string): Promise<void> {
  if (cidrs.length === 0) return;
  const IpRanges = cidrs.map((CidrIp) => ({ CidrIp, ...(Description && { Description }) }));
  await client.authorizeSecurityGroupIngress({
    GroupId: groupId,
    IpPermissions: [{ IpProtocol: 'tcp', FromPort: 5432, ToPort: 5432, IpRanges }],
  });
}

async function revoke(cidr: string): Promise<void> {
  const rules = (await inbound(client, groupId)).filter(({ CidrIpv4 }) => CidrIpv4 === cidr);
  const SecurityGroupRuleIds = rules.flatMap(({ SecurityGroupRuleId }) => SecurityGroupRuleId ?? []);
  expect(SecurityGroupRuleIds).toHaveLength(1);
  await client.revokeSecurityGroupIngress({ GroupId: groupId, SecurityGroupRuleIds });
}

const rulesNow = () => inbound(client, groupId);
const allowedNow = async () => (await rulesNow()).map(({ CidrIpv4 }) => CidrIpv4).sort();
const EVERYTHING = [...PUBLISHED].sort();

/** What a second sync and a check find: one read, and nothing to do. */
async function expectQuiet(place: Workplace): Promise<void> {
  const before = await rulesNow();
  for (const command of ['sync', 'check']) {
    const report = reportOf(await place.json(command));
    expect(report.exitCode, command).toBe(0);
    expect(report.targets).toMatchObject([{ status: 'in-sync', changes: [], drift: [], apiCalls: 1 }]);
  }
  expect(await rulesNow()).toEqual(before);
}

test.each([[0], [1], [2], [18]])(
  'with %i of the addresses there by hand, sync ends in sync, and then there is nothing to do',
  async (count) => {
    const byHand = PUBLISHED.slice(0, count);
    await addByHand(byHand);
    const place = installed();
    const report = reportOf(await place.json('sync'));
    expect(report.exitCode).toBe(0);
    expect(report.targets).toMatchObject([
      { status: count === 18 ? 'in-sync' : 'changed', changes: { length: 18 - count } },
    ]);
    expect(await allowedNow()).toEqual(EVERYTHING);
    // What somebody else made is left as it is: not marked, not made twice.
    const unmarked = (await rulesNow()).filter(({ Description }) => Description !== MARKER);
    expect(unmarked.map(({ CidrIpv4 }) => CidrIpv4).sort()).toEqual([...byHand].sort());
    await expectQuiet(place);
  },
);

test.each([[0], [2], [18]])(
  'after a rule is revoked behind its back, of %i made by hand, check exits 2 and names it, and sync puts it back',
  async (count) => {
    await addByHand(PUBLISHED.slice(0, count));
    const place = installed();
    expect((await place.run('sync')).code).toBe(0);
    const gone = PUBLISHED[count === 18 ? 3 : 17] ?? '';
    await revoke(gone);

    const checked = reportOf(await place.json('check'));
    expect(checked.exitCode).toBe(2);
    expect(checked.targets[0]?.drift.map(({ cidr }) => cidr)).toEqual([gone]);
    // Of a rule that was never ours it is not known that it was there.
    const cause = count === 18 ? expect.any(String) : 'removed-by-hand';
    expect(checked.targets[0]?.drift).toMatchObject([{ cause }]);
    expect((await place.run('check')).stdout).toContain(gone);

    expect(reportOf(await place.json('sync'))).toMatchObject({
      exitCode: 0,
      targets: [{ status: 'changed' }],
    });
    expect(await allowedNow()).toEqual(EVERYTHING);
    await expectQuiet(place);
  },
);

test.each([
  ['without a marker', undefined, 'foreign'],
  ['with the marker of somebody else', formatMarker({ owner: 'other', target: 'orders' }), 'foreign'],
  ['with our marker', MARKER, 'added-by-hand'],
])('after a rule is added behind its back %s, check exits 2 and names it', async (_, description, cause) => {
  const place = installed();
  expect((await place.run('sync')).code).toBe(0);
  await addByHand([STRANGER], description);
  const checked = reportOf(await place.json('check'));
  expect(checked.exitCode).toBe(2);
  expect(checked.targets[0]?.drift).toMatchObject([{ cause, cidr: STRANGER }]);
  expect((await place.run('check')).stdout).toContain(STRANGER);

  // What is not ours stays; what carries our marker and is not published goes.
  expect((await place.run('sync', '--output', 'json')).code).toBe(0);
  expect(await allowedNow()).toEqual(cause === 'foreign' ? [...EVERYTHING, STRANGER].sort() : EVERYTHING);
});

test('remove takes away what is ours and leaves what was there by hand', async () => {
  await addByHand(PUBLISHED.slice(0, 2));
  const place = installed();
  expect((await place.run('sync')).code).toBe(0);
  expect((await place.run('remove', '--target', 'orders', '--yes')).code).toBe(0);
  expect(await allowedNow()).toEqual(PUBLISHED.slice(0, 2).sort());
});

test('a group that moto does not know is missing, and not empty', async () => {
  const place = installed();
  const allow = [{ protocol: 'tcp', ports: [5432] }];
  const target = { name: 'orders', provider: 'aws-security-group', region: 'us-west-2', allow };
  place.configure({ targets: [{ ...target, groupId: 'sg-0fffffffffffffff0' }], safety: {} });
  const report = reportOf(await place.json('sync'));
  expect(report).toMatchObject({
    exitCode: 1,
    targets: [{ status: 'failed', error: { code: 'target-missing' } }],
  });
});
