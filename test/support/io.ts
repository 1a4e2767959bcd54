import { randomUUID } from 'node:crypto';
import type { Io } from '../../providers/provider.ts';
import type { Clock } from '../../src/clock.ts';
import { TransientError } from '../../src/errors.ts';
import { retry } from '../../src/retry.ts';

export interface TestIoOptions {
  env?: Readonly<Record<string, string | undefined>>;
  /** Longest real time of one attempt, in milliseconds. Default 10 000. */
  callTimeoutMs?: number;
  /** Longest fake time of the whole run, in milliseconds. Default 300 000, as `safety.deadline`. */
  deadlineMs?: number;
  /** Called before each attempt of a request, numbered from 0; what it throws ends the request at once. */
  beforeAttempt?: (operation: string, index: number) => void | Promise<void>;
  /** Called after each attempt, whether it succeeded or not; what it throws ends the request at once. */
  afterAttempt?: (operation: string, index: number) => void | Promise<void>;
}

export interface TestIo extends Io {
  /** The vendor's name of every request so far, retries included: what `apiCalls` counts. */
  readonly operations: readonly string[];
}

/** A clock on which sleeping takes no time and moves `now`. */
export function instantClock(start = 0): Clock {
  let time = start;
  return {
    now: () => time,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      time += ms;
    },
  };
}

/** A real {@link Io} on an instant clock: counts, and retries as the core does. */
export function testIo(options: TestIoOptions = {}): TestIo {
  const { env = {}, callTimeoutMs = 10_000, deadlineMs = 300_000, beforeAttempt, afterAttempt } = options;
  const clock = instantClock();
  const operations: string[] = [];
  return {
    env,
    operations,
    request: (operation, send) =>
      retry(
        async () => {
          const index = operations.push(operation) - 1;
          await beforeAttempt?.(operation, index);
          try {
            return await send(AbortSignal.timeout(callTimeoutMs));
          } finally {
            await afterAttempt?.(operation, index);
          }
        },
        { clock, random: () => 0.5, signal: new AbortController().signal },
      ),
    sleep: async (ms) => {
      await clock.sleep(ms);
      if (clock.now() > deadlineMs) throw new TransientError('deadline', 'the run reached its deadline');
    },
    // Never the same twice, in another run neither: a service takes a repeated id for the same request.
    uuid: randomUUID,
  };
}
