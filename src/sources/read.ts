import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Cidr, sortCidrs } from '../cidr.ts';
import type { Clock } from '../clock.ts';
import { type ErrorCode, type ErrorInfo, hintFor } from '../errors.ts';
import { neutralise, truncate } from '../text.ts';
import { shownUrl } from './address.ts';
import { openCache, sha256 } from './cache.ts';
import type { Resolve } from './connect.ts';
import type { FetchLimits } from './exchange.ts';
import { FETCH_LIMITS, fetchDocument } from './http.ts';
import { PARSER_VERSION, type ParseOptions, parseDocument } from './parse.ts';
import type { ListedAddress, ParseResult } from './result.ts';
import type { SourceConfig } from './schema.ts';

type SourceStatus = 'ok' | 'unreachable' | 'moved' | 'malformed' | 'empty';

/** What supports a reading. Texts that came from outside are harmless to print and bounded. */
interface Evidence {
  readonly httpStatus: number | null;
  readonly contentType: string | null;
  /** Size of the document, decompressed. */
  readonly bytes: number | null;
  /** Of the document, in hex. */
  readonly sha256: string | null;
  readonly etag: string | null;
  readonly lastModified: string | null;
  /** The server's clock when it answered. */
  readonly date: string | null;
  /** Answered 304: the document is the copy from an earlier run. */
  readonly notModified: boolean;
  /** Where in the document the list is. */
  readonly position: string | null;
  /** Addresses that the list has more than once. */
  readonly duplicates: readonly string[];
  /** Entries as written, with bits set beyond their prefix; `cidrs` has them cleared. */
  readonly hostBits: readonly string[];
}

/** What one source publishes now, or why that is not known. */
export interface SourceReading {
  readonly type: SourceConfig['type'];
  readonly status: SourceStatus;
  /** Without its query; the path of a file as the config has it. */
  readonly url: string;
  /** Canonical and sorted; empty unless `ok`, and never empty then. */
  readonly cidrs: readonly Cidr[];
  readonly evidence: Evidence;
  readonly error: ErrorInfo | null;
}

export interface SourceDeps {
  /** The folder that relative paths of file sources start from. */
  readonly baseDir: string;
  /** Where fetched documents are kept for conditional GETs, or null for nowhere. */
  readonly cacheDir: string | null;
  readonly clock: Clock;
  /** From 0 (included) to 1 (excluded). */
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly limits?: Partial<FetchLimits>;
  /** All addresses of a host name. Default: the system's resolver. */
  readonly resolve?: Resolve;
}

const NOTHING: Evidence = {
  httpStatus: null,
  contentType: null,
  bytes: null,
  sha256: null,
  etag: null,
  lastModified: null,
  date: null,
  notModified: false,
  position: null,
  duplicates: [],
  hostBits: [],
};

/** A document, or why there is none, before anybody looked into it. */
type Obtained =
  | { readonly ok: true; readonly body: Buffer; readonly evidence: Evidence }
  | {
      readonly ok: false;
      readonly status: SourceStatus;
      readonly evidence: Evidence;
      readonly error: ErrorInfo;
    };

/** Reads one source. Whatever is wrong with the source is part of the reading; nothing is thrown for it. */
export async function readSource(source: SourceConfig, deps: SourceDeps): Promise<SourceReading> {
  const url = source.type === 'file' ? shown(source.path, 300) : shownUrl(source.url);
  const reading = { type: source.type, url, cidrs: [] };
  const obtained = source.type === 'file' ? await readFile(source.path, deps) : await download(source, deps);
  if (!obtained.ok) {
    const { status, evidence, error } = obtained;
    return { ...reading, status, evidence, error };
  }
  const { evidence } = obtained;
  const parsed = await parseBody(obtained.body, parseOptionsOf(source));
  if (!parsed.ok) {
    const message = `${source.type} (${url}): looked for ${parsed.looked}, found ${parsed.found}`;
    const code = parsed.status === 'empty' ? 'source-empty' : 'source-malformed';
    return { ...reading, status: parsed.status, evidence, error: { code, message, hint: hintFor(code) } };
  }
  return {
    ...reading,
    status: 'ok',
    cidrs: sortCidrs(parsed.entries.map(({ cidr }) => cidr)),
    evidence: {
      ...evidence,
      position: parsed.position,
      duplicates: duplicatesOf(parsed.entries),
      hostBits: parsed.entries.filter(({ hostBits }) => hostBits).map(({ text }) => text),
    },
    error: null,
  };
}

function parseOptionsOf(source: SourceConfig): ParseOptions {
  switch (source.type) {
    case 'streamlit-docs':
      return { format: 'html', heading: source.heading };
    case 'streamlit-github':
      return { format: 'markdown', heading: source.heading };
    default:
      return { format: source.format, heading: source.heading, pointer: source.pointer };
  }
}

async function parseBody(body: Buffer, options: ParseOptions): Promise<ParseResult> {
  const looked = `a document in ${options.format}`;
  let document: string;
  try {
    document = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return { ok: false, status: 'malformed', looked, found: 'bytes that are not UTF-8' };
  }
  try {
    return await parseDocument(document, options);
  } catch (error) {
    // A parser that gives up (too deep, too long) says nothing about the list, so nothing is believed.
    const reason = shown(error instanceof Error ? error.message : String(error), 120);
    return { ok: false, status: 'malformed', looked, found: `one that its parser cannot read (${reason})` };
  }
}

async function download(
  source: Exclude<SourceConfig, { type: 'file' }>,
  deps: SourceDeps,
): Promise<Obtained> {
  const { cacheDir, ...rest } = deps;
  const cache = cacheDir === null ? null : openCache(cacheDir, PARSER_VERSION);
  const fetched = await fetchDocument(source.url, { ...rest, kind: parseOptionsOf(source).format, cache });
  const evidence: Evidence = {
    ...NOTHING,
    httpStatus: fetched.httpStatus,
    contentType: shownHeader(fetched.contentType),
    etag: shownHeader(fetched.etag),
    lastModified: shownHeader(fetched.lastModified),
    date: shownHeader(fetched.date),
  };
  if (!fetched.ok) {
    const error = { ...fetched.error, message: `${source.type}: ${fetched.error.message}` };
    return { ok: false, status: fetched.status, evidence, error };
  }
  const { body, sha256: sum, notModified } = fetched;
  return { ok: true, body, evidence: { ...evidence, bytes: body.length, sha256: sum, notModified } };
}

async function readFile(path: string, { baseDir, limits }: SourceDeps): Promise<Obtained> {
  const maxBytes = limits?.maxBytes ?? FETCH_LIMITS.maxBytes;
  const refuse = (code: ErrorCode, reason: string): Obtained => {
    const error = { code, message: `file (${shown(path, 300)}): ${reason}`, hint: hintFor(code) };
    return { ok: false, status: 'unreachable', evidence: NOTHING, error };
  };
  try {
    const file = await open(resolve(baseDir, path));
    try {
      const stats = await file.stat();
      if (!stats.isFile()) return refuse('file-unreadable', 'is no regular file');
      if (stats.size > maxBytes) return refuse('file-unreadable', `is larger than ${maxBytes} bytes`);
      const body = await file.readFile();
      return { ok: true, body, evidence: { ...NOTHING, bytes: body.length, sha256: sha256(body) } };
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    return refuse('file-unreadable', `cannot be read (${code})`);
  }
}

function duplicatesOf(entries: readonly ListedAddress[]): string[] {
  const cidrs = entries.map(({ cidr }) => cidr);
  return sortCidrs(cidrs.filter((cidr, index) => cidrs.indexOf(cidr) !== index));
}

function shownHeader(value: string | null): string | null {
  return value === null ? null : shown(value, 200);
}

function shown(text: string, length: number): string {
  return truncate(neutralise(text), length);
}
