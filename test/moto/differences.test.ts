/** Where moto is not as AWS is, and what the adapter makes of it. A test that fails here means that moto has changed. */
import type { EC2 } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { provider } from '../../providers/aws/security-group.ts';
import { toCidr } from '../../src/cidr.ts';
import { ConflictError } from '../../src/errors.ts';
import { US } from '../provider-suite.ts';
import { ALLOW, environment } from '../providers/aws/fixture.ts';
import { testIo } from '../support/io.ts';
import { clientOf, inbound, makeGroup } from './fixture.ts';
import { type Moto, startMoto } from './server.ts';

const A = toCidr('34.19.100.134');
const B = toCidr('35.230.127.150');

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

function open(extra: Record<string, unknown> = {}) {
  const io = testIo({ env: { ...environment(moto.url), AWS_ENDPOINT_URL_STS: moto.url } });
  const options = provider.options.parse({ region: 'us-west-2', groupId, allow: ALLOW, ...extra });
  return provider.open({ identity: US, options, baseDir: '/' }, io);
}

function tcp(...cidrs: string[]) {
  const IpRanges = cidrs.map((CidrIp) => ({ CidrIp }));
  return [{ IpProtocol: 'tcp', FromPort: 5432, ToPort: 5432, IpRanges }];
}

function add(...cidrs: (typeof A)[]) {
  return cidrs.map((cidr) => ({ action: 'add' as const, entry: { cidr, protocol: 'tcp', ports: '5432' } }));
}

test('moto keeps host bits, AWS clears them: both read as the same entry', async () => {
  await client.authorizeSecurityGroupIngress({ GroupId: groupId, IpPermissions: tcp('34.19.100.134/24') });
  expect((await inbound(client, groupId))[0]?.CidrIpv4).toBe('34.19.100.134/24');
  expect((await (await open()).read()).entries[0]?.cidr).toBe('34.19.100.0/24');
});

test('moto calls an unknown rule id InvalidPermission.NotFound, AWS InvalidSecurityGroupRuleId.NotFound: a lost race', async () => {
  const opened = await open();
  await opened.write(add(A), await opened.read());
  const snapshot = await opened.read();
  const removals = snapshot.entries.map((entry) => ({ action: 'remove' as const, entry }));
  await opened.write(removals, snapshot);
  const again = opened.write(removals, snapshot);
  await expect(again).rejects.toBeInstanceOf(ConflictError);
  await expect(again).rejects.toThrow('InvalidPermission.NotFound');
});

test('moto adds half of a batch with a duplicate, AWS nothing: the next pass adds what is missing', async () => {
  const opened = await open();
  const empty = await opened.read();
  await client.authorizeSecurityGroupIngress({ GroupId: groupId, IpPermissions: tcp(B) });
  await expect(opened.write(add(A, B), empty)).rejects.toBeInstanceOf(ConflictError);
  expect((await inbound(client, groupId)).map(({ CidrIpv4 }) => CidrIpv4).sort()).toEqual([A, B]);
});

test('moto passes over rule ids when it rewrites descriptions, and answers without a return', async () => {
  const opened = await open();
  await client.authorizeSecurityGroupIngress({ GroupId: groupId, IpPermissions: tcp(A) });
  const [entry] = (await opened.read()).entries;
  const SecurityGroupRuleDescriptions = [{ SecurityGroupRuleId: entry?.id, Description: 'by id' }];
  const answer = await client.updateSecurityGroupRuleDescriptionsIngress({
    GroupId: groupId,
    SecurityGroupRuleDescriptions,
  });
  expect(answer.Return).toBeUndefined();
  expect((await opened.read()).entries).toEqual([entry]);
});

test('moto adds the families up in the quota, AWS counts each for itself: a full group is told either way', async () => {
  const Ipv6Ranges = Array.from({ length: 60 }, (_, index) => ({ CidrIpv6: `2600:1900::${index + 1}/128` }));
  const IpPermissions = [{ IpProtocol: 'tcp', FromPort: 5432, ToPort: 5432, Ipv6Ranges }];
  await client.authorizeSecurityGroupIngress({ GroupId: groupId, IpPermissions });
  const opened = await open();
  const snapshot = await opened.read();
  expect(snapshot.capacity).toEqual([
    { scope: 'ipv4', used: 0, limit: 60 },
    { scope: 'ipv6', used: 60, limit: 60 },
  ]);
  await expect(opened.write(add(A), snapshot)).rejects.toMatchObject({ code: 'target-full' });
});

test('moto does not tell the owner of a group with its rules, AWS does: one more request asks for it', async () => {
  const opened = await open({ accountId: '123456789012' });
  await expect(opened.read()).resolves.toBeDefined();
  const stranger = await open({ accountId: '210987654321' });
  await expect(stranger.read()).rejects.toMatchObject({ code: 'wrong-account' });
});

test('a role is assumed by the real protocol of STS', async () => {
  const opened = await open({ assumeRole: 'arn:aws:iam::123456789012:role/sync' });
  await opened.write(add(A), await opened.read());
  expect((await opened.read()).entries).toHaveLength(1);
});
