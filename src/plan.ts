import { createHash } from 'node:crypto';
import { type Change, type Entry, isOurs, type Snapshot } from '../providers/provider.ts';
import { makeRoom } from './capacity.ts';
import { type Cidr, contains, sortCidrs } from './cidr.ts';
import type { RemovalClocks } from './clocks.ts';
import type { Target } from './config.ts';
import {
  type Cause,
  causeOfMissing,
  causeOfSetting,
  type Drift,
  type DriftContext,
  markersGone,
} from './drift.ts';
import { byKey, compareEntries, type EntryKey, entriesOf, entryKey, entryName } from './entries.ts';
import type { FatalError } from './errors.ts';
import { type PendingRemoval, removalOf } from './removal.ts';
import type { TargetMemory } from './state/state.ts';
import { foreignEntries, type Warning, warningsOf } from './warnings.ts';

export type PlanTarget = Pick<Target, 'name' | 'mode' | 'adopt' | 'extraCidrs' | 'excludeCidrs'> & {
  readonly description: Pick<Target['description'], 'object' | 'services'>;
  readonly spec: Pick<Target['spec'], 'identity'>;
  readonly provider: Pick<Target['provider'], 'adopts' | 'atomic'>;
};

export interface PlanInput {
  readonly target: PlanTarget;
  readonly snapshot: Snapshot;
  /** The list in force. `fresh`: every source has just agreed on it, so that something may be removed by it. */
  readonly list: { readonly cidrs: readonly Cidr[]; readonly fresh: boolean };
  readonly clocks: RemovalClocks;
  /** Milliseconds. */
  readonly removalDelay: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly memory: TargetMemory | undefined;
  /** The addresses of all accepted lists that are remembered. */
  readonly everListed: ReadonlySet<Cidr>;
  /** Every target and previous name of the config. */
  readonly knownTargets: ReadonlySet<string>;
}

export interface PlannedChange {
  readonly change: Change;
  readonly key: string;
  readonly cause: Cause;
  /** A person approved the list that this removal comes from. */
  readonly approved: boolean;
  /** Found in an object that was taken over: goes only with approval. */
  readonly leftover: boolean;
}

/** What would bring one target to its desired state. */
export interface Plan {
  /** The same for the same changes to the same object, whenever it is made. */
  readonly id: string;
  /** Sorted: additions, marks, updates, removals. */
  readonly changes: readonly PlannedChange[];
  /** Keys of removals that must come before the additions, because the object is full. */
  readonly early: ReadonlySet<string>;
  /** Why the additions do not fit even so; null when they do. */
  readonly overflow: string | null;
  /** Set when nothing may be written here: the object is not ours, or was until somebody took the marker away. */
  readonly refusal: FatalError | null;
  readonly pending: readonly PendingRemoval[];
  readonly drift: readonly Drift[];
  readonly warnings: readonly Warning[];
  /** Everything this target should allow. */
  readonly desired: readonly Cidr[];
  /** Distinct addresses of owned entries, the measure of removal limits. */
  readonly owned: number;
}

/** Compares what a target should hold with what it holds. Pure: the same input gives the same plan. */
export function planTarget(input: PlanInput): Plan {
  const { target, snapshot, list } = input;
  const { services, object } = target.description;
  const { identity } = target.spec;
  const desired = desiredCidrs(target, list.cidrs);
  const ours = (entry: Entry) => isOurs(entry.marker, identity);
  const current = byKey(snapshot.entries, ours);
  const context = {
    identity,
    memory: input.memory?.object === object ? input.memory : undefined,
    snapshot,
    services,
    extras: target.extraCidrs,
    now: input.now,
    desired: new Set(desired),
    listed: new Set(list.cidrs),
    everListed: input.everListed,
    knownTargets: input.knownTargets,
    gone: (cidr: Cidr) => input.clocks.get(cidr)?.listed ?? false,
  };

  const wanted = entriesOf(desired, services);
  const wantedKeys = new Set(wanted.map(entryKey));
  const missing = wanted.filter((entry) => !current.has(entryKey(entry)));
  const undesired = [...current.values()].filter((entry) => !wantedKeys.has(entryKey(entry)));
  const removals = undesired.filter(ours).map((entry) => removalOf(entry, input, context));

  const removable = removals.flatMap((removal) => (removal.kind === 'now' ? [removal.planned] : []));
  const waiting = removals.flatMap((removal) => (removal.kind === 'waits' ? [removal.pending] : []));
  const fit = makeRoom({
    capacity: snapshot.capacity,
    atomic: target.provider.atomic,
    additions: missing.map(({ cidr }) => cidr),
    removals: removable.map(({ change }) => change.entry),
    waiting: waiting.toSorted((a, b) => a.removeAfter - b.removeAfter).map(({ entry }) => entry),
    mayGoFirst: (entry) => target.mode === 'enforce' && list.fresh && !context.desired.has(entry.cidr),
  });
  const early = new Set(fit.first);

  const changes: PlannedChange[] = [
    ...missing.sort(compareEntries).map((entry) => ({
      change: { action: 'add' as const, entry },
      key: `add ${entryKey(entry)}`,
      cause: causeOfMissing(entry, context).cause,
      ...PLAIN,
    })),
    ...marks(wantedKeys, input),
    ...updates(input, context),
    ...removable,
    ...waiting
      .filter(({ entry }) => early.has(entry))
      .map(({ entry }) => ({
        change: { action: 'remove' as const, entry },
        key: `remove ${entryKey(entry)}`,
        cause: 'source-changed' as const,
        ...PLAIN,
      })),
    ...adoptedLeftovers(
      undesired.filter((entry) => entry.marker === null),
      input,
    ),
  ];
  const pending = waiting.filter(({ entry }) => !early.has(entry));
  const gone = markersGone(context);
  if (snapshot.unowned) {
    // What lost its marker and still holds all that is desired is drift; whatever else we would have to write to it.
    const refusal = gone.length === 0 || missing.length > 0 ? snapshot.unowned : null;
    const nothing = { changes: [], early: new Set<string>(), overflow: null, pending: [], owned: 0 };
    const id = checksum('plan', [target.name, object]);
    return { ...nothing, id, refusal, drift: gone, warnings: warningsOf(context), desired };
  }
  const deferred = removals.filter((removal) => removal.kind === 'deferred').length;
  return {
    id: planIdOf(target, changes),
    changes,
    early: new Set(fit.first.map((entry) => `remove ${entryKey(entry)}`)),
    overflow: fit.overflow,
    refusal: null,
    pending: pending.sort((a, b) => compareEntries(a.entry, b.entry)),
    drift: [
      ...missing.map((entry) => causeOfMissing(entry, context)),
      ...snapshot.settings.filter(differs).map((setting) => causeOfSetting(setting, context)),
      ...removals.flatMap((removal) =>
        removal.kind === 'now' || removal.kind === 'deferred' ? [removal.drift] : [],
      ),
      ...gone,
      ...foreignEntries(context).map((entry) => ({
        cause: 'foreign' as const,
        cidr: entry.cidr,
        detail: `${entryName(entry)} (${entry.id}) is not ours; if it is wanted, name it in extraCidrs`,
        settling: false,
      })),
    ],
    warnings: [
      ...warningsOf(context),
      ...(deferred > 0
        ? [
            {
              code: 'removals-deferred' as const,
              detail: `${deferred} owned entries are not desired; they stay until every source agrees on a list that passes the guards`,
            },
          ]
        : []),
    ],
    desired,
    owned: new Set([...current.values()].filter(ours).map(({ cidr }) => cidr)).size,
  };
}

/** The published addresses without the excluded ones, and the extra ones. */
export function desiredCidrs(
  target: Pick<PlanTarget, 'extraCidrs' | 'excludeCidrs'>,
  list: readonly Cidr[],
): Cidr[] {
  const allowed = list.filter((cidr) => !contains(target.excludeCidrs, cidr));
  return sortCidrs([...allowed, ...target.extraCidrs]);
}

/** The id of these changes to this target: what is left of a plan has the id of the next one. */
export function planIdOf(
  { name, description }: Pick<PlanTarget, 'name' | 'description'>,
  changes: readonly Pick<PlannedChange, 'key'>[],
): string {
  return checksum('plan', [name, description.object, ...changes.map(({ key }) => key).sort()]);
}

/** `plan-` or `list-` and twelve hexadecimal digits of a SHA-256 over the parts. */
export function checksum(kind: 'plan' | 'list', parts: readonly string[]): string {
  return `${kind}-${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12)}`;
}

const PLAIN = { approved: false, leftover: false };

/** Descriptions to rewrite: identical entries to take over, and entries that carry a previous name of this target. */
function marks(wantedKeys: ReadonlySet<EntryKey>, { target, snapshot }: PlanInput): PlannedChange[] {
  const { adopts } = target.provider;
  const { identity } = target.spec;
  if (adopts !== 'entry') return [];
  return snapshot.entries
    .filter((entry) =>
      entry.marker === null
        ? target.adopt && wantedKeys.has(entryKey(entry))
        : isOurs(entry.marker, identity) &&
          entry.marker.target !== identity.target &&
          wantedKeys.has(entryKey(entry)),
    )
    .sort(compareEntries)
    .map((entry) => ({
      change: { action: 'mark' as const, entry },
      key: `mark ${entryKey(entry)}`,
      cause: 'config-changed' as const,
      ...PLAIN,
    }));
}

function updates({ snapshot }: PlanInput, context: DriftContext): PlannedChange[] {
  return snapshot.settings
    .filter((setting) => differs(setting) && setting.repair)
    .map((setting) => ({
      change: { action: 'update' as const, setting },
      key: `update ${setting.id} ${setting.field} ${setting.actual} -> ${setting.desired}`,
      cause: causeOfSetting(setting, context).cause,
      ...PLAIN,
    }));
}

function adoptedLeftovers(unmarked: readonly Entry[], { target, list }: PlanInput): PlannedChange[] {
  if (target.provider.adopts !== 'object' || !target.adopt || !list.fresh) return [];
  return unmarked.map((entry) => ({
    change: { action: 'remove' as const, entry },
    key: `remove ${entryKey(entry)}`,
    cause: 'config-changed' as const,
    approved: false,
    leftover: true,
  }));
}

function differs(setting: { actual: string; desired: string }): boolean {
  return setting.actual !== setting.desired;
}
