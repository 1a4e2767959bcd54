import type { Capacity, Entry } from '../providers/provider.ts';
import { type Cidr, familyOf } from './cidr.ts';

interface Room {
  readonly capacity: readonly Capacity[];
  /** One write replaces everything, so old and new are never there together. */
  readonly atomic: boolean;
  readonly additions: readonly Cidr[];
  /** Entries that are removed in this run anyway. */
  readonly removals: readonly Entry[];
  /** Owned entries of addresses that are no longer published and still wait, in the order in which they are due. */
  readonly waiting: readonly Entry[];
  /** Whether an entry may go before the additions: never one of an address that is still desired. */
  readonly mayGoFirst: (entry: Entry) => boolean;
}

export interface Fit {
  /** Entries that have to go before the additions, those that wait included. */
  readonly first: readonly Entry[];
  /** Why it does not fit even so, with the numbers; null when it fits. */
  readonly overflow: string | null;
}

/**
 * Whether the additions fit, at the peak, when old and new are there together. A full object is the one case in
 * which something is removed first: only as many as needed, and only what is no longer published.
 */
export function makeRoom(room: Room): Fit {
  const first = new Set<Entry>();
  const overflow: string[] = [];
  for (const { scope, used, limit } of room.capacity) {
    const inScope = (cidr: Cidr) => scope === 'all' || familyOf(cidr) === scope;
    const added = room.additions.filter(inScope).length;
    const gone = room.removals.filter(({ cidr }) => inScope(cidr));
    const peak = used + added - (room.atomic ? gone.length : 0);
    if (added === 0 || peak <= limit) continue;
    const candidates = [...(room.atomic ? [] : gone), ...room.waiting].filter(
      (entry) => inScope(entry.cidr) && room.mayGoFirst(entry) && !first.has(entry),
    );
    const need = peak - limit;
    for (const entry of candidates.slice(0, need)) first.add(entry);
    if (candidates.length < need)
      overflow.push(
        `${used} ${scope === 'all' ? '' : `${scope} `}entries there and ${added} to add exceed the limit of ${limit}, ` +
          `and only ${candidates.length} could go first`,
      );
  }
  return { first: [...first], overflow: overflow.length > 0 ? overflow.join('; ') : null };
}
