/**
 * Runs `work` with a signal that ends with `outer`, or after `ms` milliseconds.
 *
 * Not `AbortSignal.any([outer, AbortSignal.timeout(ms)])`: nothing holds on to that timeout, so that it may be
 * collected as garbage and never fire. https://github.com/nodejs/node/issues/57736
 */
export async function withDeadline<T>(
  outer: AbortSignal,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const inner = new AbortController();
  const timer = setTimeout(() => inner.abort(new Error('the deadline of the run passed')), ms);
  const end = () => inner.abort(outer.reason);
  if (outer.aborted) end();
  else outer.addEventListener('abort', end, { once: true });
  try {
    return await work(inner.signal);
  } finally {
    clearTimeout(timer);
    outer.removeEventListener('abort', end);
  }
}
