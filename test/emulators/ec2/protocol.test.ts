import { AuthorizeSecurityGroupIngressCommand, DescribeSecurityGroupRulesCommand } from '@aws-sdk/client-ec2';
import { expect, test } from 'vitest';
import type { Fault } from '../../../src/emulators/server.ts';
import { code, inboundCidrs, refusal, start, tcp } from './support.ts';

async function post(url: string, fields: Record<string, string>) {
  const body = new URLSearchParams({ Version: '2016-11-15', ...fields });
  const response = await fetch(url, { method: 'POST', body });
  return { status: response.status, text: await response.text() };
}

test('an answer is XML in the namespace of the version', async () => {
  const { ec2 } = await start();
  const { status, text } = await post(ec2.url, { Action: 'DescribeSecurityGroupRules', MaxResults: '5' });
  expect(status).toBe(200);
  expect(text).toMatch(
    /^<\?xml version="1.0" encoding="UTF-8"\?>\n<DescribeSecurityGroupRulesResponse xmlns="http:\/\/ec2.amazonaws.com\/doc\/2016-11-15\/"><requestId>/,
  );
});

test('a refusal is XML without a namespace, with the id of the request at its end', async () => {
  const { ec2 } = await start();
  const { status, text } = await post(ec2.url, { Action: 'DescribeSecurityGroups', 'GroupId.1': '<&>' });
  expect(status).toBe(400);
  expect(text).toBe(
    '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>InvalidGroupId.Malformed</Code>' +
      '<Message>Invalid id: &quot;&lt;&amp;&gt;&quot; (expecting &quot;sg-...&quot;)</Message></Error></Errors>' +
      '<RequestID>00000000-0000-4000-8000-000000000001</RequestID></Response>',
  );
});

test.each([
  ['MissingAction', {}],
  ['InvalidAction', { Action: 'DescribeVolcanoes' }],
  ['InvalidAction', { Action: 'constructor' }],
  ['NoSuchVersion', { Action: 'DescribeSecurityGroups', Version: '2001-01-01' }],
  ['UnknownParameter', { Action: 'DescribeSecurityGroups', Colour: 'red' }],
  ['UnknownParameter', { Action: 'DescribeSecurityGroups', 'Filter.x.Name': 'group-id' }],
  ['InvalidParameterValue', { Action: 'DescribeSecurityGroups', MaxResults: 'five' }],
  ['MissingParameter', { Action: 'DescribeSecurityGroups', 'Filter.1.Value.1': 'sg-1' }],
])('the protocol refuses with %s: %j', async (expected, fields) => {
  const { ec2 } = await start();
  expect((await post(ec2.url, fields)).text).toContain(`<Code>${expected}</Code>`);
});

test('a parameter that nobody knows keeps a write from taking effect', async () => {
  const { ec2, groupId } = await start();
  const { text } = await post(ec2.url, {
    Action: 'AuthorizeSecurityGroupIngress',
    GroupId: groupId,
    IpProtocol: '-1',
    CidrIp: '10.0.0.0/8',
    Colour: 'red',
  });
  expect(text).toContain('The parameter Colour is not recognized');
  expect(ec2.rules(groupId)).toHaveLength(1);
});

test('the older form with one address beside the group works too', async () => {
  const { ec2, client, groupId } = await start();
  const fields = { GroupId: groupId, IpProtocol: 'tcp', FromPort: '22', ToPort: '22', CidrIp: '10.0.0.0/8' };
  const { status } = await post(ec2.url, { Action: 'AuthorizeSecurityGroupIngress', ...fields });
  expect(status).toBe(200);
  expect(await inboundCidrs(client, groupId)).toEqual(['10.0.0.0/8']);
});

test('requests are counted, and told apart by whether they write', async () => {
  const { ec2, client, groupId } = await start();
  await inboundCidrs(client, groupId);
  const input = { GroupId: groupId, IpPermissions: tcp(22, '203.0.113.1/32') };
  await client.send(new AuthorizeSecurityGroupIngressCommand(input));
  expect(ec2.requests).toEqual([
    { index: 0, operation: 'DescribeSecurityGroupRules', writes: false },
    { index: 1, operation: 'AuthorizeSecurityGroupIngress', writes: true },
  ]);
});

async function authorizeWith(fault: Fault) {
  const { ec2, client, groupId } = await start({ fault: ({ writes }) => (writes ? fault : undefined) });
  const input = { GroupId: groupId, IpPermissions: tcp(22, '203.0.113.1/32') };
  const outcome = await client
    .send(new AuthorizeSecurityGroupIngressCommand(input))
    .catch((error: unknown) => error);
  return { outcome, added: ec2.rules(groupId).length - 1 };
}

test.each([
  ['throttle', 'RequestLimitExceeded', 503],
  ['unavailable', 'Unavailable', 503],
  ['server-error', 'InternalError', 500],
] as const)('on demand a request ends in %s', async (kind, name, httpStatusCode) => {
  const { outcome, added } = await authorizeWith({ kind, when: 'before' });
  expect(outcome).toMatchObject({ name, $metadata: { httpStatusCode } });
  expect(added).toBe(0);
});

test.each([
  ['before', 0],
  ['after', 1],
] as const)('a connection reset %s the effect', async (when, expected) => {
  const { outcome, added } = await authorizeWith({ kind: 'reset', when });
  expect(outcome).toBeInstanceOf(Error);
  expect(added).toBe(expected);
});

test('garbage after the effect is no answer that the client can use', async () => {
  const { outcome, added } = await authorizeWith({ kind: 'garbage', when: 'after' });
  expect(outcome).not.toHaveProperty('SecurityGroupRules');
  expect(added).toBe(1);
});

test('a throttled read says so', async () => {
  const { client } = await start({ fault: () => ({ kind: 'throttle', when: 'before' }) });
  const call = client.send(new DescribeSecurityGroupRulesCommand({}));
  expect(await code(call)).toBe('RequestLimitExceeded');
});

test('the id of a request comes as a header too', async () => {
  const { client } = await start();
  const refused = await refusal(client.send(new DescribeSecurityGroupRulesCommand({ MaxResults: 1 })));
  expect(refused.$metadata.requestId).toBe('00000000-0000-4000-8000-000000000001');
});
