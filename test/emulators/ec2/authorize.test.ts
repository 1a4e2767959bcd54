import { AuthorizeSecurityGroupIngressCommand, type IpPermission } from '@aws-sdk/client-ec2';
import { expect, test } from 'vitest';
import { code, inboundCidrs, refusal, start, tcp } from './support.ts';

const UNKNOWN = 'sg-0a1b2c3d4e5f60718';
const ANY = [{ CidrIp: '203.0.113.1/32' }];

function authorizing(GroupId: string, IpPermissions: IpPermission[]) {
  return new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions });
}

test('an authorization answers with one rule for each peer', async () => {
  const { client, groupId } = await start({ prefixLists: [{ id: 'pl-1', family: 'ipv4', maxEntries: 5 }] });
  const answer = await client.send(
    authorizing(groupId, [
      {
        IpProtocol: '6',
        FromPort: 5432,
        ToPort: 5433,
        IpRanges: [{ CidrIp: '203.0.113.7/24', Description: 'an office' }],
        Ipv6Ranges: [{ CidrIpv6: '2600:1900::AB:1/112' }],
        PrefixListIds: [{ PrefixListId: 'pl-1' }],
        UserIdGroupPairs: [{ GroupId: groupId, UserId: '123456789012' }],
      },
    ]),
  );
  expect(answer.Return).toBe(true);
  const common = { GroupId: groupId, IsEgress: false, IpProtocol: 'tcp', FromPort: 5432, ToPort: 5433 };
  expect(answer.SecurityGroupRules).toMatchObject([
    { ...common, CidrIpv4: '203.0.113.0/24', Description: 'an office' },
    { ...common, CidrIpv6: '2600:1900::ab:0/112' },
    { ...common, PrefixListId: 'pl-1' },
    { ...common, ReferencedGroupInfo: { GroupId: groupId } },
  ]);
  expect(answer.SecurityGroupRules?.map((rule) => rule.SecurityGroupRuleId)).toEqual([
    'sgr-00000000000000003',
    'sgr-00000000000000004',
    'sgr-00000000000000005',
    'sgr-00000000000000006',
  ]);
});

test('a rule that is there already fails the whole batch, whatever its description', async () => {
  const { ec2, client, groupId } = await start();
  ec2.authorize(groupId, { protocol: 'tcp', fromPort: 443, toPort: 443, cidrIpv4: '203.0.113.2/32' });
  const IpRanges = [{ CidrIp: '203.0.113.1/32' }, { CidrIp: '203.0.113.2/32', Description: 'another' }];
  const call = client.send(
    authorizing(groupId, [{ IpProtocol: 'tcp', FromPort: 443, ToPort: 443, IpRanges }]),
  );
  expect(await refusal(call)).toMatchObject({
    name: 'InvalidPermission.Duplicate',
    message:
      'the specified rule "peer: 203.0.113.2/32, TCP, from port: 443, to port: 443, ALLOW" already exists',
    $metadata: { httpStatusCode: 400 },
  });
  expect(await inboundCidrs(client, groupId)).toEqual(['203.0.113.2/32']);
});

test('host bits do not make another rule', async () => {
  const { ec2, client, groupId } = await start();
  ec2.authorize(groupId, { protocol: 'tcp', fromPort: 443, toPort: 443, cidrIpv4: '203.0.113.0/24' });
  const call = client.send(authorizing(groupId, tcp(443, '203.0.113.9/24')));
  expect(await code(call)).toBe('InvalidPermission.Duplicate');
});

test('the same rule twice in one request is a bad request', async () => {
  const { client, groupId } = await start();
  const call = client.send(
    authorizing(groupId, [...tcp(443, '203.0.113.1/32'), ...tcp(443, '203.0.113.1/32')]),
  );
  expect(await refusal(call)).toMatchObject({
    name: 'InvalidParameterValue',
    message: 'The same permission must not appear multiple times',
  });
});

test('the quota counts IPv4 and IPv6 apart, a group reference in both, and fails the whole batch', async () => {
  const { ec2, client, groupId } = await start({ quota: 3 });
  const open = (peer: object) => ec2.authorize(groupId, { protocol: '-1', ...peer });
  open({ cidrIpv4: '10.1.0.0/16' });
  open({ cidrIpv6: '2600:1::/32' });
  open({ cidrIpv6: '2600:2::/32' });
  const two = client.send(
    authorizing(groupId, tcp(443, '203.0.113.1/32', '203.0.113.2/32', '203.0.113.3/32')),
  );
  expect(await code(two)).toBe('RulesPerSecurityGroupLimitExceeded');
  open({ referencedGroupId: groupId });
  const six = [{ IpProtocol: '-1', Ipv6Ranges: [{ CidrIpv6: '2600:3::/32' }] }];
  expect(await code(client.send(authorizing(groupId, six)))).toBe('RulesPerSecurityGroupLimitExceeded');
  await client.send(authorizing(groupId, tcp(443, '203.0.113.1/32')));
  expect(ec2.rules(groupId).filter((rule) => !rule.isEgress)).toHaveLength(5);
});

test('a prefix list counts as the most entries it may have, and an unknown one is refused', async () => {
  const { client, groupId } = await start({
    quota: 10,
    prefixLists: [{ id: 'pl-0123456789abcdef0', family: 'ipv4', maxEntries: 10 }],
  });
  const list = (PrefixListId: string) => [{ IpProtocol: '-1', PrefixListIds: [{ PrefixListId }] }];
  expect(await code(client.send(authorizing(groupId, list('pl-1'))))).toBe('InvalidPrefixListID.NotFound');
  await client.send(authorizing(groupId, list('pl-0123456789abcdef0')));
  const call = client.send(authorizing(groupId, tcp(443, '203.0.113.1/32')));
  expect(await code(call)).toBe('RulesPerSecurityGroupLimitExceeded');
});

const WRONG: [string, IpPermission][] = [
  ['a bare address', { IpProtocol: 'tcp', FromPort: 1, ToPort: 1, IpRanges: [{ CidrIp: '203.0.113.1' }] }],
  ['a prefix of 33', { IpProtocol: 'tcp', FromPort: 1, ToPort: 1, IpRanges: [{ CidrIp: '203.0.113.1/33' }] }],
  ['IPv6 among IPv4', { IpProtocol: 'tcp', FromPort: 1, ToPort: 1, IpRanges: [{ CidrIp: '::/0' }] }],
  ['IPv4 among IPv6', { IpProtocol: '-1', Ipv6Ranges: [{ CidrIpv6: '203.0.113.1/32' }] }],
  ['no ports', { IpProtocol: 'tcp', IpRanges: ANY }],
  ['half a port range', { IpProtocol: 'udp', FromPort: 53, IpRanges: ANY }],
  ['port -1', { IpProtocol: 'tcp', FromPort: -1, ToPort: -1, IpRanges: ANY }],
  ['port 65536', { IpProtocol: 'tcp', FromPort: 1, ToPort: 65536, IpRanges: ANY }],
  ['ports backwards', { IpProtocol: 'tcp', FromPort: 2, ToPort: 1, IpRanges: ANY }],
  ['ICMP without a type', { IpProtocol: 'icmp', IpRanges: ANY }],
  ['a protocol called all', { IpProtocol: 'all', IpRanges: ANY }],
  ['no protocol', { IpRanges: ANY }],
  ['an accent', { IpProtocol: '-1', IpRanges: [{ CidrIp: '203.0.113.1/32', Description: 'café' }] }],
  ['an arrow', { IpProtocol: '-1', IpRanges: [{ CidrIp: '203.0.113.1/32', Description: 'a > b' }] }],
  [
    '256 characters',
    { IpProtocol: '-1', IpRanges: [{ CidrIp: '203.0.113.1/32', Description: 'x'.repeat(256) }] },
  ],
];

test.each(WRONG)('a permission with %s is refused as an invalid value', async (_, permission) => {
  const { ec2, client, groupId } = await start();
  expect(await code(client.send(authorizing(groupId, [permission])))).toBe('InvalidParameterValue');
  expect(ec2.rules(groupId)).toHaveLength(1);
});

test('a description may have 255 characters of the allowed set', async () => {
  const { client, groupId } = await start();
  const Description = 'a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*'.padEnd(255, 'x');
  const IpRanges = [{ CidrIp: '203.0.113.1/32', Description }];
  const answer = await client.send(authorizing(groupId, [{ IpProtocol: '-1', IpRanges }]));
  expect(answer.SecurityGroupRules?.[0]?.Description).toBe(Description);
});

test('a permission without a source, and a request without a permission or a group, lack a parameter', async () => {
  const { client, groupId } = await start();
  const sourceless = client.send(authorizing(groupId, [{ IpProtocol: '-1' }]));
  expect(await code(sourceless)).toBe('MissingParameter');
  const nothing = client.send(new AuthorizeSecurityGroupIngressCommand({ GroupId: groupId }));
  expect(await code(nothing)).toBe('MissingParameter');
  const nowhere = client.send(
    new AuthorizeSecurityGroupIngressCommand({ IpPermissions: tcp(1, '10.0.0.0/8') }),
  );
  expect(await code(nowhere)).toBe('MissingParameter');
});

test('a group cannot be named by its name, nor be unknown or malformed', async () => {
  const { client } = await start();
  const IpPermissions = tcp(1, '10.0.0.0/8');
  const byName = new AuthorizeSecurityGroupIngressCommand({ GroupName: 'databases', IpPermissions });
  expect(await code(client.send(byName))).toBe('InvalidParameterValue');
  expect(await code(client.send(authorizing(UNKNOWN, IpPermissions)))).toBe('InvalidGroup.NotFound');
  expect(await code(client.send(authorizing('databases', IpPermissions)))).toBe('InvalidGroupId.Malformed');
});

test('a dry run of the vendor changes nothing and says that it would', async () => {
  const { ec2, client, groupId } = await start();
  const input = { GroupId: groupId, IpPermissions: tcp(22, '203.0.113.1/32'), DryRun: true };
  const refused = await refusal(client.send(new AuthorizeSecurityGroupIngressCommand(input)));
  expect(refused).toMatchObject({ name: 'DryRunOperation', $metadata: { httpStatusCode: 412 } });
  expect(ec2.rules(groupId)).toHaveLength(1);
});
