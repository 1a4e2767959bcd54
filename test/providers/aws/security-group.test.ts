import { expect, onTestFinished, test } from 'vitest';
import { provider } from '../../../providers/aws/security-group.ts';
import { formatMarker, markerOf, type Service } from '../../../providers/provider.ts';
import { toCidr } from '../../../src/cidr.ts';
import { type Ec2Options, startEc2 } from '../../../src/emulators/ec2/index.ts';
import { ConflictError } from '../../../src/errors.ts';
import { providerSuite, US } from '../../provider-suite.ts';
import {
  ALLOW,
  CAPABILITIES,
  emulatorFixture,
  GROUP,
  inbound,
  NO_GROUP,
  openGroup,
  permission,
} from './fixture.ts';

const POSTGRES: Service = { protocol: 'tcp', ports: '5432' };
const A = toCidr('34.19.100.134');
const B = toCidr('2600:1900:4020::1');

providerSuite('aws-security-group', CAPABILITIES, emulatorFixture);

async function start(options: Ec2Options = {}) {
  const ec2 = await startEc2(options);
  onTestFinished(() => ec2.close());
  return { ec2, groupId: ec2.createGroup({ name: 'orders' }) };
}

test('a rule is an entry with names for protocols, canonical ports, its id, its description and its marker', async () => {
  const { ec2, groupId } = await start();
  const cidr = { cidrIpv4: '34.19.100.134/24' };
  ec2.authorize(
    groupId,
    { protocol: '-1', ...cidr, description: 'office' },
    { protocol: '6', fromPort: 6432, toPort: 6439, ...cidr },
    { protocol: '17', fromPort: 53, toPort: 53, ...cidr },
    { protocol: '132', ...cidr },
    { protocol: 'icmp', fromPort: 8, toPort: -1, ...cidr },
    { protocol: '58', cidrIpv6: '2600:1900:4020:0::1/128', description: formatMarker(markerOf(US)) },
    { protocol: '50', ...cidr },
  );
  const { opened } = await openGroup(ec2.url, groupId);
  const { entries } = await opened.read();
  expect(entries.map(({ cidr, protocol, ports }) => `${cidr} ${protocol} ${ports}`)).toEqual([
    '34.19.100.0/24 all null',
    '34.19.100.0/24 tcp 6432-6439',
    '34.19.100.0/24 udp 53',
    '34.19.100.0/24 sctp null',
    '34.19.100.0/24 icmp null',
    '2600:1900:4020::1/128 icmpv6 null',
    '34.19.100.0/24 50 null',
  ]);
  expect(entries.map(({ id }) => id)).toEqual(inbound(ec2, groupId).map(({ id }) => id));
  expect(entries[0]).toMatchObject({ description: 'office', marker: null });
  expect(entries[5]).toMatchObject({ marker: markerOf(US) });
});

test('every page is read, a thousand rules at a time', async () => {
  const { ec2, groupId } = await start({ pageSize: 5 });
  const cidrs = Array.from({ length: 23 }, (_, index) => `34.19.100.${index}/32`);
  ec2.authorize(groupId, ...cidrs.map((cidr) => permission(cidr, POSTGRES)));
  const { opened, io } = await openGroup(ec2.url, groupId);
  expect((await opened.read()).entries.map(({ cidr }) => cidr)).toEqual(cidrs);
  expect(io.operations).toEqual(Array(5).fill('DescribeSecurityGroupRules'));
});

test('capacity counts each family for itself, and what refers to another group in both', async () => {
  const prefixLists = [{ id: 'pl-0123456789abcdef0', family: 'ipv4', maxEntries: 20 }] as const;
  const { ec2, groupId } = await start({ prefixLists });
  const other = ec2.createGroup({ name: 'apps' });
  ec2.authorize(
    groupId,
    permission('34.19.100.1/32', POSTGRES),
    permission('34.19.100.2/32', POSTGRES),
    permission('2600:1900::/64', POSTGRES),
    { protocol: 'tcp', fromPort: 5432, toPort: 5432, referencedGroupId: other },
  );
  const { opened } = await openGroup(ec2.url, groupId);
  const before = await opened.read();
  expect(before.entries).toHaveLength(3);
  expect(before.capacity).toEqual([
    { scope: 'ipv4', used: 3, limit: 60 },
    { scope: 'ipv6', used: 2, limit: 60 },
  ]);
  expect(before.warnings).toEqual([]);

  ec2.authorize(groupId, { protocol: 'tcp', fromPort: 1, toPort: 1, prefixListId: 'pl-0123456789abcdef0' });
  const { opened: again } = await openGroup(ec2.url, groupId, { maxRules: 200 });
  const after = await again.read();
  expect(after.capacity[0]).toEqual({ scope: 'ipv4', used: 4, limit: 200 });
  expect(after.warnings).toEqual([
    { code: 'capacity-unknown', detail: expect.stringContaining('pl-0123456789abcdef0') },
  ]);
});

test('a group without any rule is empty only when it exists', async () => {
  const { ec2, groupId } = await start();
  const empty = await openGroup(ec2.url, groupId);
  for (const rule of ec2.rules(groupId)) ec2.revoke(rule.id);
  expect((await empty.opened.read()).entries).toEqual([]);
  expect(empty.io.operations).toEqual(['DescribeSecurityGroupRules', 'DescribeSecurityGroups']);
});

test('an unknown group is told with its id, the region and the account', async () => {
  const { ec2 } = await start();
  const { opened } = await openGroup(ec2.url, NO_GROUP, { accountId: '123456789012' });
  await expect(opened.read()).rejects.toMatchObject({
    code: 'target-missing',
    message: expect.stringContaining(`security group ${NO_GROUP} (us-west-2, account 123456789012)`),
  });
});

test("another account's group is refused, with and without rules in it", async () => {
  const { ec2, groupId } = await start({ accountId: '210987654321' });
  const { opened } = await openGroup(ec2.url, groupId, { accountId: '123456789012' });
  const refused = {
    code: 'wrong-account',
    message: expect.stringContaining('belongs to account 210987654321, not to 123456789012'),
  };
  await expect(opened.read()).rejects.toMatchObject(refused);
  for (const rule of ec2.rules(groupId)) ec2.revoke(rule.id);
  await expect(opened.read()).rejects.toMatchObject(refused);
  const owner = await openGroup(ec2.url, groupId, { accountId: '210987654321' });
  expect((await owner.opened.read()).entries).toEqual([]);
});

test('both families and several services go out in one request, each marked', async () => {
  const { ec2, groupId } = await start();
  const { opened, io } = await openGroup(ec2.url, groupId);
  const snapshot = await opened.read();
  const additions = ['5432', '6432-6439'].flatMap((ports) =>
    [A, B].map((cidr) => ({ action: 'add' as const, entry: { cidr, protocol: 'tcp', ports } })),
  );
  await opened.write(additions, snapshot);
  expect(io.operations.slice(1)).toEqual(['AuthorizeSecurityGroupIngress']);
  const { entries } = await opened.read();
  expect(entries.map(({ cidr, ports }) => `${cidr} ${ports}`).sort()).toEqual([
    '2600:1900:4020::1/128 5432',
    '2600:1900:4020::1/128 6432-6439',
    '34.19.100.134/32 5432',
    '34.19.100.134/32 6432-6439',
  ]);
  expect(
    ec2.rules(groupId).filter(({ description }) => description === formatMarker(markerOf(US))),
  ).toHaveLength(4);
});

test('what EC2 would take as all ports is never written', async () => {
  const { ec2, groupId } = await start();
  const { opened, io } = await openGroup(ec2.url, groupId);
  const snapshot = await opened.read();
  for (const service of [
    { protocol: 'sctp', ports: '5432' },
    { protocol: 'tcp', ports: null },
    { protocol: null, ports: null },
  ])
    await expect(
      opened.write([{ action: 'add', entry: { cidr: A, ...service } }], snapshot),
    ).rejects.toMatchObject({ code: 'write-refused' });
  expect(io.operations).toHaveLength(1);
});

test('an addition that is there already, and a removal of what is gone, are lost races', async () => {
  const { ec2, groupId } = await start();
  const { opened } = await openGroup(ec2.url, groupId);
  const [rule] = ec2.authorize(groupId, permission(A, POSTGRES));
  const snapshot = await opened.read();
  await expect(
    opened.write([{ action: 'add', entry: { cidr: A, ...POSTGRES } }], snapshot),
  ).rejects.toBeInstanceOf(ConflictError);
  ec2.revoke(rule?.id ?? '');
  const removals = snapshot.entries.map((entry) => ({ action: 'remove' as const, entry }));
  await expect(opened.write(removals, snapshot)).rejects.toBeInstanceOf(ConflictError);
  const marks = snapshot.entries.map((entry) => ({ action: 'mark' as const, entry }));
  await expect(opened.write(marks, snapshot)).rejects.toBeInstanceOf(ConflictError);
});

test('a full group is told as such', async () => {
  const { ec2, groupId } = await start({ quota: 1 });
  const { opened } = await openGroup(ec2.url, groupId);
  const snapshot = await opened.read();
  const additions = ['5432', '6432'].map((ports) => ({
    action: 'add' as const,
    entry: { cidr: A, protocol: 'tcp', ports },
  }));
  await expect(opened.write(additions, snapshot)).rejects.toMatchObject({ code: 'target-full' });
});

test('describe gives object, services and account, and no target name', () => {
  const options = provider.options.parse({
    region: 'us-west-2',
    groupId: GROUP,
    allow: ALLOW,
    profile: 'prod',
    assumeRole: 'arn:aws:iam::123456789012:role/sync',
  });
  expect(provider.describe({ identity: US, options, baseDir: '/' })).toEqual({
    object: `aws-security-group us-west-2 ${GROUP}`,
    services: [POSTGRES, { protocol: 'tcp', ports: '6432-6439' }],
    account: 'aws us-west-2 profile prod role arn:aws:iam::123456789012:role/sync',
  });
});

test.each([
  [{ groupId: 'sg-xyz' }, 'must be the id of a security group'],
  [{ region: 'Oregon' }, 'must be a region'],
  [{ accountId: '1234' }, 'must be an account id of 12 digits'],
  [{ assumeRole: 'sync' }, ''],
  [{ allow: [{ protocol: 'sctp', ports: [5432] }] }, 'cannot be sctp'],
  [{ grupId: GROUP }, 'grupId'],
])('the options %j are refused', (wrong, reason) => {
  const given = { region: 'us-west-2', groupId: GROUP, allow: ALLOW, ...wrong };
  const parsed = provider.options.safeParse(given);
  expect(parsed.error?.message).toContain(reason);
});
