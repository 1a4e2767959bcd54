import { join } from 'node:path';
import type { Cidr } from './cidr.ts';
import { formatDuration } from './duration.ts';
import { type Ranges, without } from './guards/list.ts';
import { parseRanges } from './guards/provenance.ts';
import type { Pass } from './pass.ts';
import { shownUrl } from './sources/address.ts';
import { type DocumentCache, openCache } from './sources/cache.ts';
import { fetchDocument } from './sources/http.ts';
import { readSource, type SourceReading } from './sources/read.ts';
import { redactor } from './text.ts';

type Fetching = Pick<Pass, 'config' | 'world' | 'signal' | 'dryRun' | 'tell'>;

/** Reads every source, all at the same time. A source that fails is a reading that says so. */
export function readSources({ config, world, signal, dryRun, tell }: Fetching): Promise<SourceReading[]> {
  const { clock, random, env } = world;
  // A dry run leaves no trace, so it asks for the whole document every time.
  const cacheDir = dryRun ? null : join(config.stateDir, 'cache');
  const redact = redactor(config.secrets);
  return Promise.all(
    config.sources.map(async (source) => {
      const deps = { baseDir: config.baseDir, cacheDir, clock, random, signal, env };
      const reading = withoutSecrets(await readSource(source, deps), redact);
      tell({
        type: 'source-read',
        source: reading.type,
        status: reading.status,
        count: reading.cidrs.length,
      });
      return reading;
    }),
  );
}

/** Cut out here, where it comes in, a secret in a URL reaches neither report nor journal nor alert. */
function withoutSecrets(reading: SourceReading, redact: (text: string) => string): SourceReading {
  const { url, error } = reading;
  return { ...reading, url: redact(url), error: error && { ...error, message: redact(error.message) } };
}

/** The ranges are a hundred times the page: their cache has a version of its own, and their fetch less patience. */
const RANGES_CACHE_VERSION = 1;
const RANGES_LIMITS = { tryMs: 10_000, totalMs: 20_000, retries: 1, maxBytes: 20_000_000 };

/**
 * The publisher's own ranges, where they are needed: provenance is on, speaks for one of the sources, and there are
 * new addresses. Fresh, else from the cache up to `safety.provenance.maxAge`, else unavailable with the reason.
 */
export async function rangesFor(
  { config, world, signal, dryRun }: Fetching,
  candidate: readonly Cidr[],
  baseline: readonly Cidr[],
): Promise<Ranges> {
  const { mode, url, scopes, maxAge, sources } = config.safety.provenance;
  const speaks = config.sources.some(({ type }) => sources.includes(type));
  if (mode === 'off' || !speaks || without(candidate, baseline).length === 0) return { kind: 'not-asked' };
  const stored = openCache(join(config.stateDir, 'cache'), RANGES_CACHE_VERSION);
  const cache: DocumentCache = dryRun ? { get: stored.get, put: async () => undefined } : stored;
  const { clock, random, env } = world;
  const redact = redactor(config.secrets);
  const fetched = await fetchDocument(url, {
    kind: 'json',
    cache,
    clock,
    random,
    signal,
    env,
    limits: RANGES_LIMITS,
  });
  const fresh = fetched.ok ? parseRanges(fetched.body.toString('utf8'), scopes) : null;
  if (fresh?.ok)
    return { kind: 'known', cidrs: fresh.cidrs, others: fresh.others, from: redact(shownUrl(url)) };

  const why = fresh ? fresh.detail : fetched.ok ? '' : fetched.error.message;
  const copy = await cache.get(url);
  const age = copy ? clock.now() - copy.fetchedAt : Number.POSITIVE_INFINITY;
  const old = copy && age >= 0 && age <= maxAge ? parseRanges(copy.body.toString('utf8'), scopes) : null;
  if (old?.ok)
    return {
      kind: 'known',
      cidrs: old.cidrs,
      others: old.others,
      from: redact(`a copy of ${shownUrl(url)}, ${formatDuration(age)} old`),
    };
  const copies = copy ? `the copy is older than ${formatDuration(maxAge)}` : 'there is no copy';
  return { kind: 'unavailable', detail: redact(`${why}; ${copies}`) };
}
