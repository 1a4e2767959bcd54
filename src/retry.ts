import pRetry from 'p-retry';
import type { Clock } from './clock.ts';
import { TransientError } from './errors.ts';

export interface RetryOptions {
  clock: Clock;
  /** From 0 (included) to 1 (excluded). */
  random: () => number;
  /** Ends the waiting and the trying. */
  signal: AbortSignal;
  /** Tries after the first one. Default 5. */
  retries?: number;
  /** The first wait, in milliseconds; doubled at each try. Default 500. */
  firstDelayMs?: number;
  /** The longest wait of our own choosing, in milliseconds; a service may ask for more. Default 20 000. */
  maxDelayMs?: number;
  /** Told of each failure that is tried again. */
  onRetry?: (error: TransientError, attempt: number, delayMs: number) => void;
}

/**
 * The only layer that retries: runs `attempt` until it gives a value, throws something that is no
 * {@link TransientError}, or has had its tries. Waits as long as the service asked for, else exponentially with
 * full jitter (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { clock, random, signal, retries = 5, firstDelayMs = 500, maxDelayMs = 20_000 } = options;
  return pRetry(attempt, {
    retries,
    minTimeout: 0,
    signal,
    shouldRetry: ({ error }) => error instanceof TransientError,
    onFailedAttempt: async ({ error, attemptNumber, retriesLeft }) => {
      if (!(error instanceof TransientError) || retriesLeft === 0 || signal.aborted) return;
      const backoff = random() * Math.min(maxDelayMs, firstDelayMs * 2 ** (attemptNumber - 1));
      const delay = Math.max(error.retryAfterMs ?? 0, backoff);
      options.onRetry?.(error, attemptNumber, delay);
      await clock.sleep(delay, signal);
    },
  });
}
