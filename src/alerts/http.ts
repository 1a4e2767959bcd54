import type { Dispatcher } from 'undici';
import type { Clock } from '../clock.ts';
import { CatalogueError, FatalError, TransientError } from '../errors.ts';
import { retry } from '../retry.ts';
import { neutralise, truncate } from '../text.ts';
import { isLoopback } from './schema.ts';

const TIMEOUT_MS = 10_000;
const TRIES = 3;
/** Who asks for a longer wait is tried again at the next run. */
const LONGEST_WAIT_MS = 30_000;
const MOST_ANSWER = 2048;

/** What delivering needs of the world. */
export interface Delivery {
  readonly clock: Clock;
  /** From 0 (included) to 1 (excluded). */
  readonly random: () => number;
  /** Ends all tries. */
  readonly signal: AbortSignal;
  /** For HTTP_PROXY, HTTPS_PROXY and NO_PROXY. A receiver on loopback is always reached directly. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The longest real time of one try, in milliseconds. Default 10 000. */
  readonly timeoutMs?: number;
}

export interface Message {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Posts what `make` gives (made anew for each try, since signatures carry the time): three tries of 10 s, with the
 * wait that the receiver asked for. Throws an error of the catalogue whose message holds nothing of the URL, and of
 * the answer only what `redact` lets through.
 */
export async function post(
  url: string,
  make: () => Message,
  options: { delivery: Delivery; redact: (text: string) => string },
): Promise<void> {
  const { clock, random, signal, env, timeoutMs = TIMEOUT_MS } = options.delivery;
  const undici = await import('undici');
  const dispatcher = isLoopback(new URL(url))
    ? new undici.Agent()
    : new undici.EnvHttpProxyAgent(proxies(env));
  try {
    await retry(
      async () => {
        const limit = new AbortController();
        const timer = setTimeout(() => limit.abort(), timeoutMs);
        const ended = AbortSignal.any([signal, limit.signal]);
        try {
          const message = make();
          const answer = await undici.request(url, { method: 'POST', ...message, dispatcher, signal: ended });
          await judge(answer, options.redact, clock.now());
        } catch (error) {
          if (error instanceof CatalogueError) throw error;
          if (limit.signal.aborted)
            throw new TransientError('timeout', `no answer within ${timeoutMs / 1000} s`);
          if (signal.aborted) throw new FatalError('channel-failed', 'there was no time left for it');
          throw new TransientError('unreachable', `could not be reached (${reasonOf(error)})`);
        } finally {
          clearTimeout(timer);
        }
      },
      { clock, random, signal, retries: TRIES - 1 },
    );
  } finally {
    await dispatcher.destroy();
  }
}

async function judge(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  redact: (text: string) => string,
  now: number,
): Promise<void> {
  if (statusCode >= 200 && statusCode < 300) {
    // It was taken, whatever else it says: a try again would tell it twice.
    body.on('error', () => undefined).destroy();
    return;
  }
  const text = await readStart(body);
  const said = truncate(neutralise(redact(text).trim().replace(/\s+/g, ' ')), 120);
  const message = `answered ${statusCode}${said ? ` «${said}»` : ''}`;
  const passing = statusCode === 429 || statusCode === 408 || statusCode >= 500;
  const wait = retryAfterMs(headers['retry-after'], now);
  if (!passing) throw new FatalError('channel-failed', message);
  if (wait !== undefined && wait > LONGEST_WAIT_MS)
    throw new FatalError('channel-failed', `${message}, and asks to wait ${Math.ceil(wait / 1000)} s`);
  const code = statusCode === 429 ? 'throttled' : 'service-error';
  throw new TransientError(code, message, wait === undefined ? {} : { retryAfterMs: wait });
}

async function readStart(body: AsyncIterable<unknown> & { destroy(): unknown }): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array)) continue;
    chunks.push(Buffer.from(chunk));
    bytes += chunk.length;
    if (bytes >= MOST_ANSWER) break;
  }
  return Buffer.concat(chunks).subarray(0, MOST_ANSWER).toString('utf8');
}

/** Seconds or a date, https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 */
function retryAfterMs(header: string | string[] | undefined, now: number): number | undefined {
  const text = [header].flat()[0]?.trim();
  if (!text) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** The code alone (`ECONNREFUSED`): messages of clients may quote the URL. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

/** Empty strings, so that undici does not look into the environment of the process by itself. */
function proxies(env: Delivery['env']): { httpProxy: string; httpsProxy: string; noProxy: string } {
  return {
    httpProxy: env.http_proxy ?? env.HTTP_PROXY ?? '',
    httpsProxy: env.https_proxy ?? env.HTTPS_PROXY ?? '',
    noProxy: env.no_proxy ?? env.NO_PROXY ?? '',
  };
}
