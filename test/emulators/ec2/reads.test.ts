import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  DeleteSecurityGroupCommand,
  DescribeSecurityGroupRulesCommand,
  DescribeSecurityGroupsCommand,
  paginateDescribeSecurityGroupRules,
  RevokeSecurityGroupIngressCommand,
} from '@aws-sdk/client-ec2';
import { expect, test } from 'vitest';
import { code, inboundCidrs, start, tcp } from './support.ts';

const UNKNOWN = 'sg-0a1b2c3d4e5f60718';

function filter(groupId: string) {
  return [{ Name: 'group-id', Values: [groupId] }];
}

test('a new group holds one rule, and that one is outbound', async () => {
  const { client, groupId } = await start();
  const answer = await client.send(new DescribeSecurityGroupRulesCommand({ Filters: filter(groupId) }));
  expect(answer.SecurityGroupRules).toEqual([
    {
      SecurityGroupRuleId: 'sgr-00000000000000002',
      GroupId: groupId,
      GroupOwnerId: '123456789012',
      IsEgress: true,
      IpProtocol: '-1',
      FromPort: -1,
      ToPort: -1,
      CidrIpv4: '0.0.0.0/0',
      SecurityGroupRuleArn: 'arn:aws:ec2:us-west-2:123456789012:security-group-rule/sgr-00000000000000002',
      Tags: [],
    },
  ]);
});

test('the rules of a group that does not exist are an empty answer, not an error', async () => {
  const { client } = await start();
  const answer = await client.send(new DescribeSecurityGroupRulesCommand({ Filters: filter(UNKNOWN) }));
  expect(answer.SecurityGroupRules).toEqual([]);
});

test('a filter for something that is no group id is refused', async () => {
  const { client } = await start();
  const call = client.send(new DescribeSecurityGroupRulesCommand({ Filters: filter('') }));
  expect(await code(call)).toBe('InvalidGroupId.Malformed');
});

test('a filter that the action does not know is refused', async () => {
  const { client } = await start();
  const Filters = [{ Name: 'vpc-id', Values: ['vpc-0a1b2c3d4e5f60718'] }];
  const call = client.send(new DescribeSecurityGroupRulesCommand({ Filters }));
  expect(await code(call)).toBe('InvalidParameterValue');
});

test('rules are read by their ids, and an unknown or malformed id is an error', async () => {
  const { ec2, client, groupId } = await start();
  const [rule] = ec2.authorize(groupId, { protocol: 'udp', fromPort: 53, toPort: 53, cidrIpv6: '2600::/64' });
  const read = (id: string) =>
    client.send(new DescribeSecurityGroupRulesCommand({ SecurityGroupRuleIds: [id] }));
  const answer = await read(rule?.id ?? '');
  expect(answer.SecurityGroupRules?.map(({ CidrIpv6 }) => CidrIpv6)).toEqual(['2600::/64']);
  expect(await code(read('sgr-0ffffffffffffffff'))).toBe('InvalidSecurityGroupRuleId.NotFound');
  expect(await code(read('sgr-nonsense'))).toBe('InvalidSecurityGroupRuleId.Malformed');
});

test('groups show their rules by protocol and ports, with descriptions that need escaping', async () => {
  const { ec2, client, groupId } = await start();
  const service = { protocol: 'tcp', fromPort: 5432, toPort: 5432 };
  ec2.authorize(
    groupId,
    { ...service, cidrIpv4: '203.0.113.7/32', description: 'a & b; c=d' },
    { ...service, cidrIpv4: '203.0.113.8/32' },
    { ...service, cidrIpv6: '2600:1900::/48' },
    { protocol: '-1', referencedGroupId: groupId, description: 'itself' },
  );
  const answer = await client.send(new DescribeSecurityGroupsCommand({ GroupIds: [groupId] }));
  expect(answer.SecurityGroups?.[0]?.IpPermissions).toEqual([
    {
      IpProtocol: 'tcp',
      FromPort: 5432,
      ToPort: 5432,
      UserIdGroupPairs: [],
      IpRanges: [{ CidrIp: '203.0.113.7/32', Description: 'a & b; c=d' }, { CidrIp: '203.0.113.8/32' }],
      Ipv6Ranges: [{ CidrIpv6: '2600:1900::/48' }],
      PrefixListIds: [],
    },
    {
      IpProtocol: '-1',
      UserIdGroupPairs: [{ GroupId: groupId, UserId: '123456789012', Description: 'itself' }],
      IpRanges: [],
      Ipv6Ranges: [],
      PrefixListIds: [],
    },
  ]);
});

test('an unknown group is an error when it is named, and no error when it is filtered for', async () => {
  const { client } = await start();
  const named = (id: string) => client.send(new DescribeSecurityGroupsCommand({ GroupIds: [id] }));
  expect(await code(named(UNKNOWN))).toBe('InvalidGroup.NotFound');
  expect(await code(named('orders'))).toBe('InvalidGroupId.Malformed');
  const filtered = await client.send(new DescribeSecurityGroupsCommand({ Filters: filter(UNKNOWN) }));
  expect(filtered.SecurityGroups).toEqual([]);
});

test('groups are found by name, with wildcards', async () => {
  const { ec2, client, groupId } = await start();
  ec2.createGroup({ name: 'web' });
  const Filters = [{ Name: 'group-name', Values: ['data*s'] }];
  const answer = await client.send(new DescribeSecurityGroupsCommand({ Filters }));
  expect(answer.SecurityGroups?.map(({ GroupId }) => GroupId)).toEqual([groupId]);
});

test('pages give every rule exactly once, even when rules come and go in between', async () => {
  const { ec2, client, groupId } = await start();
  const rules = Array.from({ length: 12 }, (_, index) => {
    return { protocol: 'tcp', fromPort: 443, toPort: 443, cidrIpv4: `203.0.113.${index}/32` };
  });
  const [first] = ec2.authorize(groupId, ...rules);
  const seen: (string | undefined)[] = [];
  const pages: number[] = [];
  const input = { Filters: filter(groupId), MaxResults: 5 };
  for await (const page of paginateDescribeSecurityGroupRules({ client }, input)) {
    pages.push(page.SecurityGroupRules?.length ?? 0);
    seen.push(
      ...(page.SecurityGroupRules ?? []).filter((rule) => !rule.IsEgress).map((rule) => rule.CidrIpv4),
    );
    if (pages.length === 1) ec2.revoke(first?.id ?? '');
  }
  expect(pages).toEqual([5, 5, 3]);
  expect(seen).toEqual(rules.map(({ cidrIpv4 }) => cidrIpv4));
});

test('the service may give smaller pages than it was asked for', async () => {
  const { ec2, client, groupId } = await start({ pageSize: 2 });
  ec2.authorize(
    groupId,
    { protocol: '-1', cidrIpv4: '10.0.0.0/8' },
    { protocol: '-1', cidrIpv6: '2600::/32' },
  );
  const answer = await client.send(new DescribeSecurityGroupRulesCommand({ Filters: filter(groupId) }));
  expect(answer.SecurityGroupRules).toHaveLength(2);
  expect(answer.NextToken).toEqual(expect.any(String));
});

test.each([4, 1001])('a page of %i is refused', async (MaxResults) => {
  const { client } = await start();
  const call = client.send(new DescribeSecurityGroupRulesCommand({ MaxResults }));
  expect(await code(call)).toBe('InvalidParameterValue');
});

test('a token that the service did not give is refused', async () => {
  const { client } = await start();
  const call = client.send(new DescribeSecurityGroupRulesCommand({ NextToken: 'made-up' }));
  expect(await code(call)).toBe('InvalidPaginationToken');
});

test('with a read lag each write is seen only some reads later, while writes see all there is', async () => {
  const { ec2, client, groupId } = await start({ readLag: 2 });
  const one = { GroupId: groupId, IpPermissions: tcp(443, '203.0.113.1/32') };
  await client.send(new AuthorizeSecurityGroupIngressCommand(one));
  expect(await inboundCidrs(client, groupId)).toEqual([]);
  await client.send(new RevokeSecurityGroupIngressCommand(one));
  expect(ec2.rules(groupId).filter((rule) => !rule.isEgress)).toEqual([]);
  expect(await inboundCidrs(client, groupId)).toEqual([]);
  expect(await inboundCidrs(client, groupId)).toEqual(['203.0.113.1/32']);
  expect(await inboundCidrs(client, groupId)).toEqual([]);
});

test('with a read lag all pages of one listing show the same moment and count as one read', async () => {
  const { ec2, client, groupId } = await start({ readLag: 1, pageSize: 1 });
  ec2.authorize(groupId, { protocol: '-1', cidrIpv4: '10.0.0.0/8' });
  const two = { GroupId: groupId, IpPermissions: tcp(443, '203.0.113.1/32') };
  await client.send(new AuthorizeSecurityGroupIngressCommand(two));
  const listing = async () => {
    const cidrs: (string | undefined)[] = [];
    for await (const page of paginateDescribeSecurityGroupRules({ client }, { Filters: filter(groupId) }))
      cidrs.push(...(page.SecurityGroupRules ?? []).map((rule) => rule.CidrIpv4));
    return cidrs;
  };
  expect(await listing()).toEqual(['0.0.0.0/0', '10.0.0.0/8']);
  expect(await listing()).toEqual(['0.0.0.0/0', '10.0.0.0/8', '203.0.113.1/32']);
});

test('a group is made, is refused a second time, and goes unless another one refers to it', async () => {
  const { ec2, client, groupId } = await start();
  const asked = { GroupName: 'web', Description: 'Web servers' };
  const { GroupId = '' } = await client.send(new CreateSecurityGroupCommand(asked));
  expect(ec2.rules(GroupId)).toHaveLength(1);
  expect(await code(client.send(new CreateSecurityGroupCommand(asked)))).toBe('InvalidGroup.Duplicate');
  const [reference] = ec2.authorize(groupId, { protocol: '-1', referencedGroupId: GroupId });
  const remove = () => client.send(new DeleteSecurityGroupCommand({ GroupId }));
  expect(await code(remove())).toBe('DependencyViolation');
  ec2.revoke(reference?.id ?? '');
  expect((await remove()).GroupId).toBe(GroupId);
  expect(await code(remove())).toBe('InvalidGroup.NotFound');
});
