import { expect, onTestFinished, test } from 'vitest';
import { provider } from '../../../providers/aws/security-group.ts';
import { toCidr } from '../../../src/cidr.ts';
import { startEc2 } from '../../../src/emulators/ec2/index.ts';
import { type EmulatorRequest, startEmulator } from '../../../src/emulators/server.ts';
import { US } from '../../provider-suite.ts';
import { testIo } from '../../support/io.ts';
import { ALLOW, environment } from './fixture.ts';

/** Service Quotas in its JSON 1.1 protocol, for one quota. */
async function startQuotas(answer: { status: number; body: object }) {
  const asked: string[] = [];
  const quotas = await startEmulator({
    describe: () => ({ operation: 'GetServiceQuota', writes: false }),
    handle: ({ body, headers }: EmulatorRequest) => {
      asked.push(`${String(headers['x-amz-target'])} ${body}`);
      return {
        status: answer.status,
        headers: { 'content-type': 'application/x-amz-json-1.1' },
        body: JSON.stringify(answer.body),
      };
    },
    refuse: () => ({ status: 500, body: '{}' }),
  });
  onTestFinished(() => quotas.close());
  return { url: quotas.url, asked };
}

async function openGroup(env: Record<string, string>, options: object = {}) {
  const ec2 = await startEc2();
  onTestFinished(() => ec2.close());
  const groupId = ec2.createGroup({ name: 'orders' });
  ec2.authorize(groupId, { protocol: 'tcp', fromPort: 22, toPort: 22, cidrIpv4: toCidr('198.51.100.1/32') });
  const io = testIo({ env: { ...environment(ec2.url), ...env } });
  const parsed = provider.options.parse({ region: 'us-west-2', groupId, allow: ALLOW, ...options });
  return { opened: await provider.open({ identity: US, options: parsed, baseDir: '/' }, io), io };
}

test('the quota of the account is read where the default might not do', async () => {
  const quotas = await startQuotas({ status: 200, body: { Quota: { QuotaCode: 'L-0EA8095F', Value: 120 } } });
  const { opened } = await openGroup({ AWS_ENDPOINT_URL_SERVICE_QUOTAS: quotas.url });
  const snapshot = await opened.read();
  expect(snapshot.capacity.map(({ limit }) => limit)).toEqual([60, 60]);
  expect(quotas.asked).toEqual([]);
  const exact = await opened.exactCapacity?.(snapshot);
  expect(exact).toEqual([
    { scope: 'ipv4', used: 1, limit: 120 },
    { scope: 'ipv6', used: 0, limit: 120 },
  ]);
  expect(quotas.asked).toEqual([
    'ServiceQuotasV20190624.GetServiceQuota {"ServiceCode":"vpc","QuotaCode":"L-0EA8095F"}',
  ]);
});

test('without the permission to read quotas the default stands, after one request', async () => {
  const quotas = await startQuotas({
    status: 400,
    body: {
      __type: 'AccessDeniedException',
      message: 'not authorized to perform: servicequotas:GetServiceQuota',
    },
  });
  const { opened, io } = await openGroup({ AWS_ENDPOINT_URL_SERVICE_QUOTAS: quotas.url });
  expect(await opened.exactCapacity?.(await opened.read())).toBeNull();
  expect(io.operations.filter((operation) => operation === 'GetServiceQuota')).toHaveLength(1);
});

test('whoever sends EC2 to another endpoint alone is not taken to the real Service Quotas', async () => {
  const { opened, io } = await openGroup({});
  expect(await opened.exactCapacity?.(await opened.read())).toBeNull();
  expect(io.operations).not.toContain('GetServiceQuota');
});

test('a number in the config is taken as it is', async () => {
  const { opened } = await openGroup({}, { maxRules: 100 });
  expect(opened.exactCapacity).toBeUndefined();
  expect((await opened.read()).capacity.map(({ limit }) => limit)).toEqual([100, 100]);
});
