import pLimit, { type LimitFunction } from 'p-limit';
import type { Io } from '../providers/provider.ts';
import type { Clock } from './clock.ts';
import { CatalogueError, TransientError } from './errors.ts';
import { retry } from './retry.ts';

/** The longest one request may take, in milliseconds. */
const CALL_TIMEOUT_MS = 30_000;

export interface CallOptions {
  clock: Clock;
  random: () => number;
  uuid: () => string;
  env: Io['env'];
  /** The run's deadline. */
  signal: AbortSignal;
  /** Shared by all targets of one account. */
  gate: LimitFunction;
  /** Default {@link CALL_TIMEOUT_MS}. */
  callTimeoutMs?: number | undefined;
  /** Told of each request that is tried again. */
  onRetry?: (operation: string, error: TransientError, delayMs: number) => void;
}

/** The core's side of {@link Io}, with the count of requests that were sent so far. */
export interface CountedIo extends Io {
  readonly calls: number;
}

/**
 * What one target's adapter sends its requests through: each is counted, timed out, retried when the failure may
 * pass, and made to wait its turn with the other requests of the same account.
 */
export function createIo(options: CallOptions): CountedIo {
  const { clock, random, signal, gate } = options;
  let calls = 0;

  async function once<T>(operation: string, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (signal.aborted) throw ended(signal, operation);
    // Not AbortSignal.timeout: it would keep every request in memory until its time were up.
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), options.callTimeoutMs ?? CALL_TIMEOUT_MS);
    const either = AbortSignal.any([signal, limit.signal]);
    calls += 1;
    try {
      return await Promise.race([send(either), rejectOnAbort(either)]);
    } catch (error) {
      // Clients word an abort each in their own way; what we know ourselves is worth more.
      if (signal.aborted) throw ended(signal, operation);
      if (limit.signal.aborted)
        throw new TransientError('timeout', `${operation} gave no answer in time`, { cause: error });
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    get calls() {
      return calls;
    },
    env: options.env,
    uuid: options.uuid,
    request: (operation, send) =>
      retry(() => gate(() => once(operation, send)), {
        clock,
        random,
        signal,
        onRetry: (error, _attempt, delayMs) => {
          if (error.code === 'throttled') gate.concurrency = Math.max(1, Math.floor(gate.concurrency / 2));
          options.onRetry?.(operation, error, delayMs);
        },
      }).catch((error) => {
        throw signal.aborted ? ended(signal, operation) : error;
      }),
    sleep: async (ms) => {
      await clock.sleep(ms, signal).catch((error) => {
        throw signal.aborted ? ended(signal, 'waiting') : error;
      });
    },
  };
}

/** Hands out one gate an account: at most `concurrency` requests at a time, fewer once the account is throttled. */
export function createGates(concurrency: number): (account: string) => LimitFunction {
  const gates = new Map<string, LimitFunction>();
  return (account) => {
    const gate = gates.get(account) ?? pLimit(concurrency);
    gates.set(account, gate);
    return gate;
  };
}

/** A lock that was lost says so itself; else it was the deadline, or the end of the process. */
function ended({ reason }: AbortSignal, during: string): CatalogueError {
  if (reason instanceof CatalogueError) return reason;
  return new TransientError('deadline', `the run reached its deadline during ${during}`);
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
