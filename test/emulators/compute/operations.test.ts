import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Compute, startCompute } from '../../../src/emulators/compute/index.ts';
import { clientsOf, operationName, refusalOf } from './client.ts';

let compute: Compute;
let clients: ReturnType<typeof clientsOf>;

beforeAll(async () => {
  compute = await startCompute();
  clients = clientsOf(compute);
});
afterAll(() => compute.close());

const rule = {
  name: 'allow',
  allowed: [{ IPProtocol: 'tcp', ports: ['5432'] }],
  sourceRanges: ['203.0.113.7/32'],
};
const other = { sourceRanges: ['198.51.100.0/24'] };

test('a change takes effect when its operation is done, not before', async () => {
  const project = 'later';
  const started = await clients.firewalls.insert({ project, firewallResource: rule });
  const operation = operationName(started);
  expect(compute.rules(project)).toEqual([]);
  const [first] = await clients.operations.wait({ project, operation });
  expect(first).toMatchObject({ status: 'RUNNING', operationType: 'insert' });
  expect(compute.rules(project)).toEqual([]);
  const [second] = await clients.operations.get({ project, operation });
  expect(second).toMatchObject({ status: 'DONE', progress: 100 });
  expect(second.error ?? null).toBeNull();
  expect(compute.rules(project)).toHaveLength(1);
  expect(second.targetLink).toBe(compute.rule(project, 'allow')?.selfLink);
});

test.each([
  [0, ['DONE']],
  [3, ['RUNNING', 'RUNNING', 'RUNNING', 'DONE']],
])('with operationPolls %i the polls answer %j', async (operationPolls, expected) => {
  const slow = await startCompute({ operationPolls });
  try {
    const { firewalls, operations } = clientsOf(slow);
    const project = 'polls';
    const operation = operationName(await firewalls.insert({ project, firewallResource: rule }));
    const seen: unknown[] = [];
    for (const _ of expected) seen.push((await operations.wait({ project, operation }))[0].status);
    expect(seen).toEqual(expected);
  } finally {
    await slow.close();
  }
});

test('an operation that nobody polls is done all the same, a few requests later', async () => {
  const project = 'unattended';
  await clients.firewalls.insert({ project, firewallResource: rule });
  const seen: number[] = [];
  for (let read = 0; read < 4; read += 1) seen.push((await clients.firewalls.list({ project }))[0].length);
  expect(seen).toEqual([0, 0, 0, 1]);
});

test('operations on one rule run one after another', async () => {
  const project = 'order';
  compute.insert(project, rule);
  await clients.firewalls.patch({ project, firewall: 'allow', firewallResource: { priority: 900 } });
  await clients.done(
    clients.firewalls.patch({ project, firewall: 'allow', firewallResource: other }),
    project,
  );
  expect(compute.rule(project, 'allow')).toMatchObject({ priority: 900, ...other });
});

test('what a person changes while an operation runs is not lost', async () => {
  const project = 'meanwhile';
  compute.insert(project, rule);
  const patch = clients.firewalls.patch({ project, firewall: 'allow', firewallResource: other });
  await patch;
  compute.edit(project, 'allow', { disabled: true });
  await clients.done(patch, project);
  expect(compute.rule(project, 'allow')).toMatchObject({ disabled: true, ...other });
});

test('an operation fails when its rule is taken away, or made by somebody else, while it runs', async () => {
  const project = 'too-late';
  const insert = clients.firewalls.insert({ project, firewallResource: rule });
  await insert;
  compute.insert(project, { ...rule, description: 'faster' });
  expect(await clients.done(insert, project)).toMatchObject({
    httpErrorStatusCode: 409,
    error: { errors: [{ code: 'RESOURCE_ALREADY_EXISTS' }] },
  });
  expect(compute.rule(project, 'allow')?.description).toBe('faster');
  const patch = clients.firewalls.patch({ project, firewall: 'allow', firewallResource: other });
  await patch;
  compute.remove(project, 'allow');
  expect(await clients.done(patch, project)).toMatchObject({
    httpErrorStatusCode: 404,
    error: { errors: [{ code: 'RESOURCE_NOT_FOUND' }] },
  });
  expect(compute.rules(project)).toEqual([]);
});

test('an operation that fails says why when it is done, and changes nothing', async () => {
  const project = 'failing';
  const before = compute.insert(project, rule);
  compute.failNextOperation({
    code: 'RESOURCE_OPERATION_RATE_EXCEEDED',
    message: 'Operation rate exceeded for the resource.',
    httpStatus: 403,
  });
  const ended = await clients.done(
    clients.firewalls.patch({ project, firewall: 'allow', firewallResource: other }),
    project,
  );
  expect(ended).toMatchObject({
    httpErrorStatusCode: 403,
    httpErrorMessage: 'FORBIDDEN',
    error: {
      errors: [
        {
          code: 'RESOURCE_OPERATION_RATE_EXCEEDED',
          message: 'Operation rate exceeded for the resource.',
        },
      ],
    },
  });
  expect(compute.rule(project, 'allow')).toEqual(before);
  await clients.done(
    clients.firewalls.patch({ project, firewall: 'allow', firewallResource: other }),
    project,
  );
  expect(compute.rule(project, 'allow')).toMatchObject(other);
});

test.each(['insert', 'patch', 'update', 'delete'] as const)(
  'the same requestId on a repeated %s gives the first operation again',
  async (verb) => {
    const project = `request-id-${verb}`;
    const requestId = randomUUID();
    if (verb !== 'insert') compute.insert(project, rule);
    const send = (): Promise<unknown> => {
      const named = { project, firewall: 'allow', requestId };
      switch (verb) {
        case 'insert':
          return clients.firewalls.insert({ project, firewallResource: rule, requestId });
        case 'patch':
          return clients.firewalls.patch({ ...named, firewallResource: other });
        case 'update':
          return clients.firewalls.update({ ...named, firewallResource: { ...rule, ...other } });
        case 'delete':
          return clients.firewalls.delete(named);
      }
    };
    const first = operationName(await send());
    expect(operationName(await send())).toBe(first);
    await clients.done(send(), project);
    expect(operationName(await send())).toBe(first);
    const [all] = await clients.operations.list({ project });
    expect(all.map(({ name }) => name)).toEqual([first]);
  },
);

test('another requestId is another request', async () => {
  const project = 'request-ids';
  const send = () => clients.firewalls.insert({ project, firewallResource: rule, requestId: randomUUID() });
  await clients.done(send(), project);
  expect(await refusalOf(send())).toMatchObject({ status: 409 });
});

test.each(['once', '00000000-0000-0000-0000-000000000000'])(
  'the requestId %s is refused with 400',
  async (requestId) => {
    const call = clients.firewalls.insert({ project: 'p', firewallResource: rule, requestId });
    expect(await refusalOf(call)).toMatchObject({
      status: 400,
      reason: 'invalid',
      message: `Invalid value for field 'requestId': '${requestId}'. Must be a valid UUID, not zero.`,
    });
  },
);
