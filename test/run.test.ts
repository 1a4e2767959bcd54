import { expect, test } from 'vitest';
import { addresses, awsCloud, gcpCloud, installation } from './support/pass.ts';

test('both clouds come into step, and a second pass costs one read each and changes nothing', async () => {
  const [aws, gcp] = [await awsCloud(), await gcpCloud()];
  const place = await installation({
    targets: [aws.target(), gcp.target()],
    env: { ...aws.env, ...gcp.env },
    published: addresses(3),
  });
  const first = await place.sync();
  expect(first).toMatchObject({ exitCode: 0, targets: [{ status: 'changed' }, { status: 'changed' }] });
  expect(aws.allowed()).toEqual(addresses(3));
  expect(gcp.allowed()).toEqual(addresses(3));
  expect(aws.requests()).toEqual([
    'DescribeSecurityGroupRules',
    'AuthorizeSecurityGroupIngress',
    'DescribeSecurityGroupRules',
  ]);
  expect(gcp.requests()).toEqual([
    'firewalls.list',
    'firewalls.insert',
    'globalOperations.wait',
    'globalOperations.wait',
    'firewalls.list',
  ]);
  place.clock.advance('15m');
  const second = await place.sync();
  expect(second).toMatchObject({ exitCode: 0, targets: [{ status: 'in-sync' }, { status: 'in-sync' }] });
  expect(aws.requests()).toEqual(['DescribeSecurityGroupRules']);
  expect(gcp.requests()).toEqual(['firewalls.list']);
  expect(second.targets.map(({ apiCalls }) => apiCalls)).toEqual([1, 1]);
});
