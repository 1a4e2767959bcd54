import type { Entry } from '../providers/provider.ts';
import { isDue } from './clocks.ts';
import { causeOfUndesired, type Drift, type UndesiredContext } from './drift.ts';
import { entryKey } from './entries.ts';
import type { PlanInput, PlannedChange } from './plan.ts';

/** An owned entry that is no longer desired and waits for its time. */
export interface PendingRemoval {
  readonly entry: Entry;
  /** Milliseconds since the epoch. */
  readonly removeAfter: number;
}

/** What is to become of an owned entry that is not desired. */
type Removal =
  | { kind: 'now'; planned: PlannedChange & { change: { action: 'remove' } }; drift: Drift }
  | { kind: 'waits'; pending: PendingRemoval }
  | { kind: 'deferred'; drift: Drift };

/**
 * When an owned, undesired entry may go: at once when the config or a hand made it undesired, after the delay when
 * the published list did, and not at all while there is no list that every source agrees on.
 */
export function removalOf(
  entry: Entry,
  { list, clocks, removalDelay, now }: PlanInput,
  context: UndesiredContext,
): Removal {
  const drift = causeOfUndesired(entry, context);
  const key = entryKey(entry);
  const clock = clocks.get(entry.cidr);
  const leftover = context.memory?.leftovers.includes(key) ?? false;
  const waits = !leftover && drift.cause === 'source-changed';
  const since = clock && clock.since <= now ? clock.since : now;
  // With the delay over and only one list seen, the next agreed list decides: the time shown is then now.
  const pending = { entry, removeAfter: Math.max(since + removalDelay, now) };
  if (!list.fresh) return waits && clock ? { kind: 'waits', pending } : { kind: 'deferred', drift };
  const planned = {
    change: { action: 'remove' as const, entry },
    key: `remove ${key}`,
    cause: drift.cause,
    approved: clock?.approved ?? false,
    leftover,
  };
  const due = removalDelay === 0 || (clock !== undefined && isDue(clock, removalDelay, now));
  return waits && !due ? { kind: 'waits', pending } : { kind: 'now', planned, drift };
}
