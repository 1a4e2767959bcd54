import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { parseUrl } from './address.ts';

const headerSchema = z.object({
  url: z.string(),
  etag: z.string().nullable(),
  lastModified: z.string().nullable(),
  contentType: z.string().nullable(),
  /** When it was last known to be current, in milliseconds since the epoch. */
  fetchedAt: z.number(),
  sha256: z.string(),
});

type Header = z.output<typeof headerSchema>;

/** A document as it was fetched, with what a conditional GET needs. */
export interface CachedDocument extends Omit<Header, 'url'> {
  readonly body: Buffer;
}

/**
 * Documents in a folder, one file each: a line of JSON, then the body. What cannot be read, was damaged (its sha256
 * differs) or belongs to another URL is not there: a cache that fails costs one download and nothing else.
 */
export interface DocumentCache {
  get(url: string): Promise<CachedDocument | undefined>;
  /** Gives back the reason when it could not be stored, which is no failure of the fetch. */
  put(url: string, document: Omit<CachedDocument, 'sha256'>): Promise<string | undefined>;
}

/** @param version part of the key, so that a new parser never meets what an older one accepted */
export function openCache(folder: string, version: number): DocumentCache {
  const fileOf = (url: string) => join(folder, `${sha256(`${version} ${url}`).slice(0, 32)}.cache`);
  return {
    async get(given) {
      const url = canonical(given);
      try {
        const file = await readFile(fileOf(url));
        const end = file.indexOf('\n');
        const { url: of, ...header } = headerSchema.parse(JSON.parse(file.subarray(0, end).toString('utf8')));
        const body = file.subarray(end + 1);
        return of === url && header.sha256 === sha256(body) ? { ...header, body } : undefined;
      } catch {
        return undefined;
      }
    },
    async put(given, { body, ...rest }) {
      const url = canonical(given);
      try {
        await mkdir(folder, { recursive: true });
        const header: Header = { url, ...rest, sha256: sha256(body) };
        const line = Buffer.from(`${JSON.stringify(header)}\n`);
        // The URL may hold a secret in its query, so the file is for its owner only.
        await writeFileAtomic(fileOf(url), Buffer.concat([line, body]), { mode: 0o600 });
        return undefined;
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    },
  };
}

/** One spelling for one URL: a missing slash after the host makes no other document. */
function canonical(url: string): string {
  return parseUrl(url)?.href ?? url;
}

export function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
