import type { Dispatcher } from 'undici';
import type { Clock } from '../clock.ts';
import { CatalogueError, FatalError, TransientError } from '../errors.ts';
import { neutralise, truncate } from '../text.ts';
import { parseUrl, shownUrl } from './address.ts';
import { ENCODINGS, readBody, TooLarge, UnknownEncoding } from './body.ts';
import { type CachedDocument, type DocumentCache, sha256 } from './cache.ts';
import type { Resolve } from './connect.ts';
import { acceptOf, isOfFormat } from './content-type.ts';
import { failureText, isPermanent } from './failure.ts';
import type { SourceFormat } from './schema.ts';
import { within } from './time-limit.ts';

/** Limits of one fetch. */
export interface FetchLimits {
  /** For one try, from the first packet to the last byte of the body, in milliseconds. Default 10 000. */
  readonly tryMs: number;
  /** For all tries and the waits between them, in milliseconds. Default 60 000. */
  readonly totalMs: number;
  /** Largest body, in bytes, counted after decompression. Default 5 000 000. */
  readonly maxBytes: number;
  /** Tries after the first one. Default 3. */
  readonly retries: number;
}

export interface FetchOptions {
  /** What the document must be, by its Content-Type. One without a type is taken; the parser has the last word. */
  readonly kind: SourceFormat;
  readonly cache: DocumentCache | null;
  readonly clock: Clock;
  /** From 0 (included) to 1 (excluded). */
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in either case, are read from it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly limits?: Partial<FetchLimits>;
  /** All addresses of a host name. Default: the system's resolver. */
  readonly resolve?: Resolve;
}

/** What the headers of an answer said; texts as they came, of whatever length and content. */
export interface AnswerFacts {
  readonly httpStatus: number | null;
  readonly contentType: string | null;
  readonly etag: string | null;
  readonly lastModified: string | null;
  /** The server's own clock. */
  readonly date: string | null;
}

export interface FetchedDocument extends AnswerFacts {
  readonly ok: true;
  readonly body: Buffer;
  /** Of the body, in hex. */
  readonly sha256: string;
  /** The server said that the cached body is still current. */
  readonly notModified: boolean;
}

export const NO_ANSWER: AnswerFacts = {
  httpStatus: null,
  contentType: null,
  etag: null,
  lastModified: null,
  date: null,
};

/** More redirects than this, all to the same path, are a loop. */
const MAX_REDIRECTS = 3;

interface ExchangeOptions extends FetchOptions {
  readonly limits: FetchLimits;
  readonly dispatcher: Dispatcher;
  /** Told what the latest answer's headers said. */
  readonly note: (facts: AnswerFacts) => void;
}

/** The tries of one fetch. */
export class Exchange {
  readonly #url: URL;
  readonly #shown: string;
  readonly #options: ExchangeOptions;
  readonly #endsAt: number;
  /** Off once a 304 turned out to speak of another body than ours. */
  #isConditional = true;

  constructor(url: URL, options: ExchangeOptions) {
    this.#url = url;
    this.#shown = shownUrl(url.href);
    this.#options = options;
    this.#endsAt = options.clock.now() + options.limits.totalMs;
  }

  /** One try. Throws `TransientError` for what may pass, `FatalError` for what will not. */
  async attempt(signal: AbortSignal): Promise<FetchedDocument> {
    const { tryMs } = this.#options.limits;
    const error = () => unreachable(`${this.#shown} gave no whole answer within ${seconds(tryMs)}`);
    this.#options.note(NO_ANSWER);
    return within({ ms: tryMs, signal, error }, async (trying) => {
      try {
        return await this.#get(this.#url, trying, 0);
      } catch (failure) {
        throw this.#explain(failure);
      }
    });
  }

  async #get(url: URL, signal: AbortSignal, redirects: number): Promise<FetchedDocument> {
    const { request } = await import('undici');
    const cached = this.#isConditional ? await this.#options.cache?.get(this.#url.href) : undefined;
    const answer = await request(url, {
      dispatcher: this.#options.dispatcher,
      signal,
      headers: { ...conditions(cached), ...this.#headers() },
    });
    const facts = factsOf(answer);
    // Whoever destroys the body, nobody may be left without a listener for it.
    answer.body.on('error', () => undefined);
    this.#options.note(facts);
    if (answer.statusCode === 200) return this.#take(answer, facts, signal);
    answer.body.destroy();
    if (answer.statusCode === 304) return this.#takeCached(cached, facts);
    if (answer.statusCode >= 300 && answer.statusCode < 400) {
      const next = this.#follow(url, header(answer, 'location'), answer.statusCode);
      if (redirects >= MAX_REDIRECTS) throw unreachable(`${this.#shown} redirects to itself again and again`);
      return this.#get(next, signal, redirects + 1);
    }
    throw this.#refusal(answer.statusCode, header(answer, 'retry-after'));
  }

  #headers(): Record<string, string> {
    const { kind } = this.#options;
    return { accept: acceptOf(kind), 'accept-encoding': ENCODINGS, 'user-agent': 'allowlist-sync' };
  }

  async #take(
    answer: Dispatcher.ResponseData,
    facts: AnswerFacts,
    signal: AbortSignal,
  ): Promise<FetchedDocument> {
    const { kind, limits, cache, clock } = this.#options;
    if (!isOfFormat(kind, facts.contentType)) {
      answer.body.destroy();
      throw this.#wrongType(facts);
    }
    const encoding = header(answer, 'content-encoding') ?? undefined;
    const body = await readBody(answer.body, { encoding, maxBytes: limits.maxBytes, signal });
    const { etag, lastModified, contentType } = facts;
    if (etag || lastModified)
      await cache?.put(this.#url.href, { etag, lastModified, contentType, fetchedAt: clock.now(), body });
    return { ok: true, ...facts, body, sha256: sha256(body), notModified: false };
  }

  /** RFC 9110 section 15.4.5. A 304 that nobody asked for, or of another version than ours, is no answer. */
  async #takeCached(cached: CachedDocument | undefined, facts: AnswerFacts): Promise<FetchedDocument> {
    this.#isConditional = false;
    if (!cached || (facts.etag && cached.etag && opaque(facts.etag) !== opaque(cached.etag)))
      throw unreachable(`${this.#shown} answered 304, not modified, but no matching copy is at hand`);
    if (!isOfFormat(this.#options.kind, cached.contentType)) throw this.#wrongType(cached);
    const { sha256: sum, body, ...rest } = cached;
    await this.#options.cache?.put(this.#url.href, { ...rest, body, fetchedAt: this.#options.clock.now() });
    const { etag, lastModified, contentType } = cached;
    return { ok: true, ...facts, etag, lastModified, contentType, body, sha256: sum, notModified: true };
  }

  #wrongType({ contentType }: { contentType: string | null }): FatalError {
    const type = truncate(neutralise(contentType ?? ''), 60);
    return new FatalError(
      'source-malformed',
      `${this.#shown} is of type «${type}», not ${this.#options.kind}`,
    );
  }

  #follow(from: URL, location: string | null, status: number): URL {
    const to = location === null ? undefined : parseUrl(location, from);
    const isSame = to?.protocol === from.protocol && to.host === from.host && path(to) === path(from);
    if (to && isSame && !to.username && !to.password) return to;
    const where = to ? `to ${truncate(neutralise(shownUrl(to.href)), 200)}` : 'to nowhere';
    throw new FatalError('source-moved', `${this.#shown} redirects (${status}) ${where}: the page moved`);
  }

  #refusal(status: number, retryAfter: string | null): Error {
    const message = `${this.#shown} answered ${status}`;
    if (status < 500 && status !== 429 && status !== 408) return new NoSuchAnswer(message);
    const retryAfterMs = delayOf(retryAfter, this.#options.clock.now());
    if (retryAfterMs === undefined) return unreachable(message);
    if (this.#options.clock.now() + retryAfterMs < this.#endsAt)
      return new TransientError('source-unreachable', message, { retryAfterMs });
    return new NoSuchAnswer(`${message} and asks to wait ${seconds(retryAfterMs)}, longer than a run may`);
  }

  #explain(failure: unknown): unknown {
    if (failure instanceof CatalogueError || failure instanceof NoSuchAnswer) return failure;
    if (failure instanceof TooLarge)
      return new NoSuchAnswer(`${this.#shown} is larger than ${this.#options.limits.maxBytes} bytes`);
    if (failure instanceof UnknownEncoding)
      return new FatalError('source-malformed', `${this.#shown} came with ${failure.message}`);
    const message = `${this.#shown} could not be read: ${failureText(failure)}`;
    return isPermanent(failure) ? new NoSuchAnswer(message) : unreachable(message);
  }
}

/** Out of reach, and trying again at once would not help: a 404, a body without end. */
export class NoSuchAnswer extends Error {}

export function unreachable(message: string): TransientError {
  return new TransientError('source-unreachable', message);
}

function conditions(cached: CachedDocument | undefined): Record<string, string> {
  return {
    ...(cached?.etag ? { 'if-none-match': cached.etag } : {}),
    ...(cached?.lastModified ? { 'if-modified-since': cached.lastModified } : {}),
  };
}

function header(answer: Dispatcher.ResponseData, name: string): string | null {
  const value = answer.headers[name];
  return (Array.isArray(value) ? value.join(', ') : value) ?? null;
}

function factsOf(answer: Dispatcher.ResponseData): AnswerFacts {
  return {
    httpStatus: answer.statusCode,
    contentType: header(answer, 'content-type'),
    etag: header(answer, 'etag'),
    lastModified: header(answer, 'last-modified'),
    date: header(answer, 'date'),
  };
}

/** Weak comparison of entity tags: RFC 9110 section 8.8.3.2. */
function opaque(etag: string): string {
  return etag.replace(/^W\//, '');
}

function path({ pathname }: URL): string {
  return pathname.replace(/\/$/, '');
}

/** `Retry-After` (RFC 9110 section 10.2.3), seconds or a date, in milliseconds from now. */
function delayOf(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

export function seconds(ms: number): string {
  return `${ms / 1000} s`;
}
