import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Compute, startCompute } from '../../../src/emulators/compute/index.ts';
import type { Fault, LoggedRequest } from '../../../src/emulators/server.ts';
import { clientsOf, refusalOf } from './client.ts';

const project = 'acme';
const rule = {
  name: 'allow',
  allowed: [{ IPProtocol: 'tcp', ports: ['5432'] }],
  sourceRanges: ['203.0.113.7/32'],
};
const faults: Fault[] = [];
const observed: LoggedRequest[] = [];
let compute: Compute;
let clients: ReturnType<typeof clientsOf>;

beforeAll(async () => {
  compute = await startCompute({
    fault: () => faults.shift(),
    observe: (request) => void observed.push(request),
  });
  clients = clientsOf(compute);
});
afterAll(() => compute.close());
beforeEach(() => {
  observed.length = 0;
});

const list = () => clients.firewalls.list({ project });

test('throttling is a 403 of the usage limits', async () => {
  faults.push({ kind: 'throttle', when: 'before' });
  expect(await refusalOf(list())).toMatchObject({
    status: 403,
    domain: 'usageLimits',
    reason: 'rateLimitExceeded',
    message: expect.stringMatching(/^Quota exceeded for quota group .* 'compute\.googleapis\.com'/),
  });
});

test('an overloaded service says 503 with Retry-After, a broken one 500', async () => {
  faults.push({ kind: 'unavailable', when: 'before' }, { kind: 'unavailable', when: 'before' });
  expect(await refusalOf(list())).toMatchObject({ status: 503, reason: 'backendError' });
  const { headers } = await fetch(`${compute.url}/compute/v1/projects/acme/global/firewalls`);
  expect(headers.get('retry-after')).toBe('1');
  faults.push({ kind: 'server-error', when: 'before' });
  expect(await refusalOf(list())).toMatchObject({ status: 500 });
});

test('a connection that is reset before the request was read changes nothing', async () => {
  faults.push({ kind: 'reset', when: 'before' });
  await expect(clients.firewalls.insert({ project, firewallResource: rule })).rejects.toThrow();
  expect(observed).toEqual([expect.objectContaining({ operation: 'firewalls.insert', writes: true })]);
  expect((await clients.operations.list({ project }))[0]).toEqual([]);
});

test('a connection that is reset after the request was read loses only the answer', async () => {
  const requestId = '7b0f3c52-93c5-4c3a-9a70-2f6a9d1f5a11';
  faults.push({ kind: 'reset', when: 'after' });
  const send = () => clients.firewalls.insert({ project, firewallResource: rule, requestId });
  await expect(send()).rejects.toThrow();
  await clients.done(send(), project);
  expect(compute.rules(project)).toHaveLength(1);
  expect((await clients.operations.list({ project }))[0]).toHaveLength(1);
});

test('garbage comes with status 200 and fails in the client', async () => {
  faults.push({ kind: 'garbage', when: 'before' });
  await expect(list()).rejects.toThrow();
});

test('requests are logged by the names of the API', async () => {
  const first = compute.requests.length;
  await clients.firewalls.get({ project, firewall: 'allow' });
  await clients.done(
    clients.firewalls.patch({ project, firewall: 'allow', firewallResource: { priority: 1 } }),
    project,
  );
  expect(compute.requests.slice(first)).toEqual([
    { index: first, operation: 'firewalls.get', writes: false },
    { index: first + 1, operation: 'firewalls.patch', writes: true },
    { index: first + 2, operation: 'globalOperations.wait', writes: false },
    { index: first + 3, operation: 'globalOperations.wait', writes: false },
  ]);
});
