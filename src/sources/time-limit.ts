/** Until when something may take. */
export interface TimeLimit {
  readonly ms: number;
  readonly signal: AbortSignal;
  /** What is thrown when the time is up. */
  readonly error: () => Error;
}

/**
 * Runs `task` with a signal that ends with the time or with the outer signal, and throws the reason of that end
 * whatever `task` makes of it. Real time, not the clock of the run: it bounds what a network does.
 */
export async function within<T>(limit: TimeLimit, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const end = () => controller.abort(limit.signal.reason);
  const timer = setTimeout(() => controller.abort(limit.error()), limit.ms);
  limit.signal.addEventListener('abort', end, { once: true });
  if (limit.signal.aborted) end();
  try {
    controller.signal.throwIfAborted();
    return await task(controller.signal);
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
    limit.signal.removeEventListener('abort', end);
  }
}
