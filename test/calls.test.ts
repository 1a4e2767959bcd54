import pLimit from 'p-limit';
import { expect, test } from 'vitest';
import { type CallOptions, createGates, createIo } from '../src/calls.ts';
import { FatalError, TransientError } from '../src/errors.ts';
import { instantClock } from './support/io.ts';

function io(more: Partial<CallOptions> = {}) {
  return createIo({
    clock: instantClock(),
    random: () => 0.5,
    uuid: () => 'id',
    env: {},
    signal: new AbortController().signal,
    gate: pLimit(8),
    ...more,
  });
}

/** Fails so often before it answers. */
function flaky(failures: number, error: () => Error) {
  let left = failures;
  return async () => {
    left -= 1;
    if (left >= 0) throw error();
    return 'answer';
  };
}

const throttled = () => new TransientError('throttled', 'slow down');

test('every request is counted, those that are tried again too', async () => {
  const lent = io();
  await expect(lent.request('Describe', flaky(2, throttled))).resolves.toBe('answer');
  expect(lent.calls).toBe(3);
});

test('what cannot pass is thrown at once, what does not pass after its tries', async () => {
  const lent = io();
  const fatal = () => new FatalError('permission-missing', 'no');
  await expect(lent.request('Describe', flaky(9, fatal))).rejects.toMatchObject({
    code: 'permission-missing',
  });
  expect(lent.calls).toBe(1);
  await expect(lent.request('Describe', flaky(9, throttled))).rejects.toMatchObject({ code: 'throttled' });
  expect(lent.calls).toBe(7);
});

test('a service that asks for time is given it', async () => {
  const delays: number[] = [];
  const lent = io({ onRetry: (_operation, _error, delay) => delays.push(delay) });
  await lent.request(
    'Describe',
    flaky(1, () => new TransientError('throttled', 'wait', { retryAfterMs: 60_000 })),
  );
  expect(delays).toEqual([60_000]);
});

test('throttling halves how many requests of the account are under way, down to one', async () => {
  const gates = createGates(8);
  const gate = gates('aws prod');
  await io({ gate }).request('Describe', flaky(2, throttled));
  expect([gate.concurrency, gates('aws prod').concurrency, gates('aws test').concurrency]).toEqual([2, 2, 8]);
  await io({ gate }).request('Describe', flaky(4, throttled));
  expect(gate.concurrency).toBe(1);
});

test('no more requests of one account are under way than its gate lets through', async () => {
  const gate = createGates(3)('aws');
  let [now, most] = [0, 0];
  const send = async () => {
    now += 1;
    most = Math.max(most, now);
    await new Promise((resolve) => setImmediate(resolve));
    now -= 1;
  };
  const [one, other] = [io({ gate }), io({ gate })];
  await Promise.all([one, other].flatMap((lent) => [1, 2, 3, 4].map(() => lent.request('Describe', send))));
  expect(most).toBe(3);
});

test('a request that never answers is given up after its time, and is worth another try', async () => {
  const lent = io({ callTimeoutMs: 5 });
  const never = () => new Promise<never>(() => undefined);
  await expect(lent.request('Describe', never)).rejects.toMatchObject({
    code: 'timeout',
    message: 'Describe gave no answer in time',
  });
  expect(lent.calls).toBe(6);
});

test('the deadline of the run ends requests and waits, and is called by its name', async () => {
  const run = new AbortController();
  const lent = io({ signal: run.signal });
  let begun: () => void = () => undefined;
  const sent = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const hanging = lent.request('Describe', () => {
    begun();
    return new Promise<never>(() => undefined);
  });
  await sent;
  run.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
  await expect(hanging).rejects.toMatchObject({ code: 'deadline' });
  await expect(lent.request('Describe', async () => 1)).rejects.toMatchObject({ code: 'deadline' });
  await expect(lent.sleep(1)).rejects.toMatchObject({ code: 'deadline' });
  expect(lent.calls).toBe(1);
});

test('a lock that was lost says so, and is not taken for the deadline', async () => {
  const run = new AbortController();
  run.abort(new FatalError('state-locked', 'another run took the lock over'));
  await expect(io({ signal: run.signal }).request('Describe', async () => 1)).rejects.toMatchObject({
    code: 'state-locked',
  });
});
