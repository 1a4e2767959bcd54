import {
  ModifySecurityGroupRulesCommand,
  RevokeSecurityGroupIngressCommand,
  type SecurityGroupRuleRequest,
  UpdateSecurityGroupRuleDescriptionsIngressCommand,
} from '@aws-sdk/client-ec2';
import { expect, test } from 'vitest';
import { code, inboundCidrs, start, tcp } from './support.ts';

test('rules are revoked by id, all or none', async () => {
  const { ec2, client, groupId } = await start();
  const [one, two] = ec2.authorize(
    groupId,
    { protocol: 'tcp', fromPort: 22, toPort: 22, cidrIpv4: '203.0.113.1/32', description: 'one' },
    { protocol: 'tcp', fromPort: 22, toPort: 22, cidrIpv4: '203.0.113.2/32' },
  );
  const revoke = (...SecurityGroupRuleIds: string[]) =>
    client.send(new RevokeSecurityGroupIngressCommand({ GroupId: groupId, SecurityGroupRuleIds }));
  const unknown = revoke(one?.id ?? '', 'sgr-0ffffffffffffffff');
  expect(await code(unknown)).toBe('InvalidSecurityGroupRuleId.NotFound');
  expect(ec2.rules(groupId)).toHaveLength(3);
  const answer = await revoke(one?.id ?? '');
  expect(answer).toMatchObject({
    Return: true,
    RevokedSecurityGroupRules: [
      { SecurityGroupRuleId: one?.id, GroupId: groupId, IsEgress: false, CidrIpv4: '203.0.113.1/32' },
    ],
  });
  expect(await inboundCidrs(client, groupId)).toEqual([two?.cidrIpv4]);
  expect(await code(revoke(one?.id ?? ''))).toBe('InvalidSecurityGroupRuleId.NotFound');
});

test('the outbound rule is none of the inbound ones', async () => {
  const { ec2, client, groupId } = await start();
  const [outbound] = ec2.rules(groupId);
  const SecurityGroupRuleIds = [outbound?.id ?? ''];
  const call = client.send(new RevokeSecurityGroupIngressCommand({ GroupId: groupId, SecurityGroupRuleIds }));
  expect(await code(call)).toBe('InvalidSecurityGroupRuleId.NotFound');
});

test('rules are revoked by permission, without regard to the description, all or none', async () => {
  const { ec2, client, groupId } = await start();
  const service = { protocol: 'tcp', fromPort: 22, toPort: 22 };
  ec2.authorize(groupId, { ...service, cidrIpv4: '203.0.113.1/32', description: 'one' });
  const revoke = (...cidrs: string[]) =>
    client.send(
      new RevokeSecurityGroupIngressCommand({ GroupId: groupId, IpPermissions: tcp(22, ...cidrs) }),
    );
  expect(await code(revoke('203.0.113.1/32', '203.0.113.2/32'))).toBe('InvalidPermission.NotFound');
  expect(ec2.rules(groupId)).toHaveLength(2);
  expect((await revoke('203.0.113.1/32')).RevokedSecurityGroupRules).toHaveLength(1);
});

test('a revocation names ids or permissions, not both and not neither', async () => {
  const { ec2, client, groupId } = await start();
  const [rule] = ec2.authorize(groupId, { protocol: '-1', cidrIpv4: '10.0.0.0/8' });
  const revoke = (input: object) =>
    client.send(new RevokeSecurityGroupIngressCommand({ GroupId: groupId, ...input }));
  const IpPermissions = [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '10.0.0.0/8' }] }];
  const both = revoke({ IpPermissions, SecurityGroupRuleIds: [rule?.id] });
  expect(await code(both)).toBe('InvalidParameterCombination');
  expect(await code(revoke({}))).toBe('MissingParameter');
  expect(ec2.rules(groupId)).toHaveLength(2);
});

test('a rule is replaced under its id, and becomes no duplicate of another one', async () => {
  const { ec2, client, groupId } = await start();
  const service = { protocol: 'tcp', fromPort: 5432, toPort: 5432 };
  const [one] = ec2.authorize(
    groupId,
    { ...service, cidrIpv4: '203.0.113.1/32', description: 'one' },
    { ...service, cidrIpv4: '203.0.113.2/32' },
  );
  const modify = (rule: SecurityGroupRuleRequest) =>
    client.send(
      new ModifySecurityGroupRulesCommand({
        GroupId: groupId,
        SecurityGroupRules: [{ SecurityGroupRuleId: one?.id, SecurityGroupRule: rule }],
      }),
    );
  const tcpRule = { IpProtocol: 'tcp', FromPort: 5432, ToPort: 5432 };
  expect(await code(modify({ ...tcpRule, CidrIpv4: '203.0.113.2/32' }))).toBe('InvalidPermission.Duplicate');
  expect(await code(modify({ ...tcpRule, CidrIpv4: '203.0.113.2/24' }))).toBe('InvalidParameterValue');
  expect(await code(modify({ CidrIpv4: '203.0.113.3/32' }))).toBe('InvalidParameterValue');
  expect((await modify({ ...tcpRule, ToPort: 5500, CidrIpv4: '203.0.113.1/32' })).Return).toBe(true);
  expect(ec2.rules(groupId)[1]).toEqual({
    id: one?.id,
    groupId,
    isEgress: false,
    ...service,
    toPort: 5500,
    cidrIpv4: '203.0.113.1/32',
  });
});

test('descriptions are rewritten by id or by permission, and nothing else of the rule', async () => {
  const { ec2, client, groupId } = await start();
  const [rule] = ec2.authorize(groupId, {
    protocol: 'tcp',
    fromPort: 22,
    toPort: 22,
    cidrIpv4: '203.0.113.1/32',
  });
  const update = (input: object) =>
    client.send(new UpdateSecurityGroupRuleDescriptionsIngressCommand({ GroupId: groupId, ...input }));
  const byId = (Description?: string) =>
    update({ SecurityGroupRuleDescriptions: [{ SecurityGroupRuleId: rule?.id, Description }] });
  const byPermission = (CidrIp: string) =>
    update({
      IpPermissions: [
        { IpProtocol: 'tcp', FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp, Description: 'by permission' }] },
      ],
    });
  await byId('by id');
  expect(ec2.rules(groupId)[1]).toEqual({ ...rule, description: 'by id' });
  await byPermission('203.0.113.1/32');
  expect(ec2.rules(groupId)[1]).toEqual({ ...rule, description: 'by permission' });
  expect(await code(byPermission('203.0.113.2/32'))).toBe('InvalidPermission.NotFound');
  expect(await code(byId('<'))).toBe('InvalidParameterValue');
  await byId();
  expect(ec2.rules(groupId)[1]).toEqual(rule);
});

test('a person behind the back of the tool is held to the same rules', async () => {
  const { ec2, groupId } = await start();
  const permission = { protocol: 'tcp', fromPort: 22, toPort: 22, cidrIpv4: '203.0.113.1/32' };
  const [rule] = ec2.authorize(groupId, permission);
  expect(() => ec2.authorize(groupId, permission)).toThrow('already exists');
  ec2.modify(rule?.id ?? '', { toPort: 23 });
  expect(ec2.rules(groupId)[1]).toEqual({ ...rule, toPort: 23 });
  ec2.revoke(rule?.id ?? '');
  expect(() => ec2.revoke(rule?.id ?? '')).toThrow('does not exist');
});
