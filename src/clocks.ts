import type { Cidr } from './cidr.ts';

/** How long, and how often in a row, an agreed list has been seen without an address that was there before. */
export interface RemovalClock {
  /** When it was first seen missing, in milliseconds since the epoch. */
  readonly since: number;
  /** Agreed lists that did not have it, the first included. */
  readonly sightings: number;
  /** A person approved a list without it: limits on removals have had their say. */
  readonly approved: boolean;
  /** It was published once; not so what only ever stood on a target with our marker. */
  readonly listed: boolean;
}

export type RemovalClocks = ReadonlyMap<Cidr, RemovalClock>;

/** A clock of an address that no target holds any more is kept this long, for the warning about leftovers. */
const KEPT_MS = 30 * 24 * 3_600_000;

/**
 * The clocks after one more accepted list on which every source agreed. An address that came back loses its clock;
 * one that is newly missing starts at `now`; a time stamp in the future (a host whose clock was wrong) starts again.
 *
 * @param known addresses that were allowed until now: the last accepted list, and what targets hold besides
 */
export function advanceClocks(
  clocks: RemovalClocks,
  list: { cidrs: readonly Cidr[]; approved: boolean },
  known: { readonly listed: Iterable<Cidr>; readonly held: Iterable<Cidr> },
  now: number,
): RemovalClocks {
  const published = new Set(list.cidrs);
  const listed = new Set(known.listed);
  const held = new Set([...listed, ...known.held]);
  const next = new Map<Cidr, RemovalClock>();
  for (const cidr of new Set([...clocks.keys(), ...held])) {
    if (published.has(cidr)) continue;
    const clock = clocks.get(cidr);
    if (!clock || clock.since > now)
      next.set(cidr, { since: now, sightings: 1, approved: list.approved, listed: listed.has(cidr) });
    else if (held.has(cidr) || now - clock.since < KEPT_MS)
      next.set(cidr, { ...clock, sightings: clock.sightings + 1, approved: clock.approved || list.approved });
  }
  return next;
}

/** Whether an address that left the list may go: the delay has passed and, unless it is none, two lists agreed. */
export function isDue(clock: RemovalClock, removalDelayMs: number, now: number): boolean {
  if (removalDelayMs === 0) return true;
  return clock.sightings >= 2 && clock.since <= now && now - clock.since >= removalDelayMs;
}
