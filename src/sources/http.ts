import type { Dispatcher } from 'undici';
import { CatalogueError, type ErrorInfo, errorInfo, FatalError, hintFor } from '../errors.ts';
import { retry } from '../retry.ts';
import { parseUrl, shownUrl, urlProblem } from './address.ts';
import { openDispatcher, systemResolve } from './connect.ts';
import {
  type AnswerFacts,
  Exchange,
  type FetchedDocument,
  type FetchLimits,
  type FetchOptions,
  NO_ANSWER,
  NoSuchAnswer,
  seconds,
  unreachable,
} from './exchange.ts';
import { within } from './time-limit.ts';

export const FETCH_LIMITS: FetchLimits = { tryMs: 10_000, totalMs: 60_000, maxBytes: 5_000_000, retries: 3 };

export interface FailedFetch extends AnswerFacts {
  readonly ok: false;
  readonly status: 'unreachable' | 'moved' | 'malformed';
  readonly error: ErrorInfo;
}

/**
 * Fetches one document, whole, or says why not; never throws for what a server, a network or a cache does.
 *
 * https only (http on loopback), only from public addresses (see {@link openDispatcher}), redirects followed only to
 * the same path of the same host: another place means that the page moved (`moved`). Network errors, 5xx, 408 and
 * 429 are tried again. A conditional GET (RFC 9110 section 13) is sent when the cache has the document.
 */
export async function fetchDocument(
  url: string,
  options: FetchOptions,
): Promise<FetchedDocument | FailedFetch> {
  const limits = { ...FETCH_LIMITS, ...options.limits };
  const parsed = parseUrl(url);
  const problem = urlProblem(url);
  if (!parsed || problem)
    return failed(
      new FatalError('source-refused', `the URL ${shownUrl(url)} ${problem}`),
      NO_ANSWER,
      options.signal,
    );
  const total = {
    ms: limits.totalMs,
    signal: options.signal,
    error: () =>
      unreachable(`${shownUrl(url)} gave no whole answer within ${seconds(limits.totalMs)}, tries included`),
  };
  let dispatcher: Dispatcher | undefined;
  let facts = NO_ANSWER;
  try {
    dispatcher = await openDispatcher(parsed, options.env, options.resolve ?? systemResolve);
    const exchange = new Exchange(parsed, {
      ...options,
      limits,
      dispatcher,
      note: (seen) => {
        facts = seen;
      },
    });
    return await within(total, (signal) =>
      retry(() => exchange.attempt(signal), {
        clock: options.clock,
        random: options.random,
        signal,
        retries: limits.retries,
        maxDelayMs: 5_000,
      }),
    );
  } catch (error) {
    return failed(error, facts, options.signal);
  } finally {
    dispatcher?.destroy().catch(() => undefined);
  }
}

function failed(error: unknown, facts: AnswerFacts, signal: AbortSignal): FailedFetch {
  if (error instanceof NoSuchAnswer) {
    const code = 'source-unreachable';
    return {
      ok: false,
      ...facts,
      status: 'unreachable',
      error: { code, message: error.message, hint: hintFor(code) },
    };
  }
  const isEnded = signal.aborted && !(error instanceof CatalogueError);
  const info = errorInfo(isEnded ? unreachable('given up, since the run was ended') : error);
  const status =
    info.code === 'source-moved' ? 'moved' : info.code === 'source-malformed' ? 'malformed' : 'unreachable';
  return { ok: false, ...facts, status, error: info };
}
