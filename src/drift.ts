import { type Entry, isOurs, isTooBroad, type Service, type Setting } from '../providers/provider.ts';
import type { Cidr } from './cidr.ts';
import { type EntryKey, entryKey, entryName, serviceName } from './entries.ts';
import type { TargetMemory } from './state/state.ts';

/** Why a target differs from what it should hold. One list for the code, the schema and the docs. */
export const CAUSES = {
  'new-target': 'nothing of this target is there yet',
  'source-changed': 'the published list changed',
  'config-changed': 'the config changed',
  'removed-by-hand': 'somebody removed an entry that is ours',
  'added-by-hand': 'somebody added an entry with our marker',
  'edited-by-hand': 'somebody edited an entry or a rule that is ours',
  foreign: 'an entry that is not ours opens a managed port to an address that should not have it',
  contested: 'the same entry was taken away three times within a day: something keeps doing it',
} as const;

export type Cause = keyof typeof CAUSES;

export interface Drift {
  readonly cause: Cause;
  readonly cidr: Cidr | null;
  /** What is there, and where; a sentence for people. */
  readonly detail: string;
  /** We wrote this entry so recently that the service may only show it late: listed, but nobody is called. */
  readonly settling: boolean;
}

/** After a write of ours, a difference is not blamed on anybody for this long: EC2 reads may lag by minutes. */
export const SETTLING_MS = 5 * 60_000;
const DAY_MS = 24 * 3_600_000;
/** How often an entry must be put back within a day to be called contested. */
const CONTESTED = 3;

export interface DriftContext {
  readonly identity: Parameters<typeof isOurs>[1];
  readonly memory: TargetMemory | undefined;
  readonly snapshot: { readonly entries: readonly Entry[] };
  readonly services: readonly Service[];
  readonly extras: readonly Cidr[];
  readonly now: number;
}

/** Why a desired entry is missing. */
export function causeOfMissing(entry: Service & { readonly cidr: Cidr }, context: DriftContext): Drift {
  const { memory, snapshot, identity } = context;
  const name = entryName(entry);
  const drift = (cause: Cause, detail: string) => ({ cause, cidr: entry.cidr, detail, settling: false });
  if (!memory) {
    const any = snapshot.entries.some((one) => isOurs(one.marker, identity));
    return any
      ? drift('source-changed', `${name} is desired and missing`)
      : drift('new-target', `${name} is not there yet`);
  }
  const key = entryKey(entry);
  const remembered = memory.entries.find((one) => one.key === key);
  if (remembered) return causeOfVanished(entry, key, remembered, context);
  if (!memory.services.includes(serviceName(entry)))
    return drift('config-changed', `${name}: ${serviceName(entry)} is new in the config`);
  if (!memory.desired.includes(entry.cidr))
    return context.extras.includes(entry.cidr)
      ? drift('config-changed', `${name} is new in extraCidrs`)
      : drift('source-changed', `${name} is newly published`);
  return memory.entries.length === 0
    ? drift('new-target', `${name} is not there yet`)
    : drift('removed-by-hand', `${name} was there without our marker, and is gone`);
}

function causeOfVanished(
  entry: Service & { readonly cidr: Cidr },
  key: EntryKey,
  remembered: TargetMemory['entries'][number],
  context: DriftContext,
): Drift {
  const { memory, snapshot, now } = context;
  const name = entryName(entry);
  const settling = isRecent(remembered.writtenAt, SETTLING_MS, now);
  // This run is about to do it once more.
  const puts = putsOf(memory, now).get(key) ?? 0;
  if (puts + 1 >= CONTESTED) {
    const detail =
      `${name} was put back ${puts} times within a day and is gone again; ` +
      'likely another tool or infrastructure as code manages the same object';
    return { cause: 'contested', cidr: entry.cidr, detail, settling: false };
  }
  const edited = snapshot.entries.find((one) => editedFrom(one, context)?.key === key);
  if (edited)
    return {
      cause: 'edited-by-hand',
      cidr: entry.cidr,
      detail: `${name} was edited to ${entryName(edited)} (${edited.id})`,
      settling,
    };
  return { cause: 'removed-by-hand', cidr: entry.cidr, detail: `${name} is gone`, settling };
}

/** The entries that were put back so often within the last day that somebody must be taking them away. */
export function contestedKeys(memory: TargetMemory, now: number): EntryKey[] {
  return [...putsOf(memory, now)].flatMap(([key, puts]) => (puts >= CONTESTED ? [key] : []));
}

function putsOf(memory: TargetMemory | undefined, now: number): Map<EntryKey, number> {
  const puts = new Map<EntryKey, number>();
  for (const { key, at } of memory?.putBack ?? [])
    if (isRecent(at, DAY_MS, now)) puts.set(key, (puts.get(key) ?? 0) + 1);
  return puts;
}

/** A time that a wrong clock put into the future is not recent: it would stay so for too long. */
function isRecent(at: number, ms: number, now: number): boolean {
  return at <= now && now - at < ms;
}

export interface UndesiredContext extends DriftContext {
  /** What this target should allow. */
  readonly desired: ReadonlySet<Cidr>;
  /** What is published, excluded or not. */
  readonly listed: ReadonlySet<Cidr>;
  /** What was published by any accepted list that is remembered. */
  readonly everListed: ReadonlySet<Cidr>;
}

/** Why an owned entry is there that is not desired. */
export function causeOfUndesired(entry: Entry, context: UndesiredContext): Drift {
  const { memory, desired, listed, everListed, now } = context;
  const name = `${entryName(entry)} (${entry.id})`;
  const key = entryKey(entry);
  const removed = memory?.removed.find((one) => one.key === key);
  const settling = removed !== undefined && isRecent(removed.at, SETTLING_MS, now);
  const drift = (cause: Cause, detail: string) => ({ cause, cidr: entry.cidr, detail, settling });
  const known = memory?.entries.some((one) => one.key === key) ?? false;
  const published = desired.has(entry.cidr);
  if (!published && isTooBroad(entry.cidr))
    return drift('added-by-hand', `${name} is broader than any list may be: it was never published`);
  if (!memory)
    return published
      ? drift('edited-by-hand', `${name} opens ${serviceName(entry)}, which the config does not name`)
      : drift('source-changed', `${name} is ours and no longer desired`);
  if (known && published) return drift('config-changed', `${name}: ${serviceName(entry)} left the config`);
  if (known && listed.has(entry.cidr)) return drift('config-changed', `${name} is in excludeCidrs now`);
  const unpublished = everListed.has(entry.cidr) && !listed.has(entry.cidr);
  if (known && memory.extras.includes(entry.cidr) && !unpublished)
    return drift('config-changed', `${name} left extraCidrs`);
  // An entry that is not remembered may be one that a run made that did not live to remember it.
  if (known || (unpublished && !published)) return drift('source-changed', `${name} is no longer published`);
  const before = editedFrom(entry, context);
  if (before) return drift('edited-by-hand', `${before.key} was edited to ${name}`);
  return drift('added-by-hand', `${name} carries our marker, and this tool did not make it`);
}

/**
 * The remembered entry that this one was before somebody edited it: its id lives on and its key does not. Ids that
 * many entries share (the name of a GCP rule) tell nothing.
 */
function editedFrom(
  entry: Entry,
  { memory, snapshot }: DriftContext,
): TargetMemory['entries'][number] | undefined {
  const [before, ...others] = memory?.entries.filter((one) => one.id === entry.id) ?? [];
  if (!before || others.length > 0 || before.key === entryKey(entry)) return undefined;
  return snapshot.entries.some((one) => entryKey(one) === before.key) ? undefined : before;
}

/** Why a setting of the object differs. */
export function causeOfSetting(setting: Setting, { memory }: DriftContext): Drift {
  const before = memory?.settings.find((one) => one.field === setting.field)?.desired;
  const changed = before !== undefined && before !== setting.desired;
  const detail = `${setting.field} of ${setting.id} is ${setting.actual || 'unset'}, not ${setting.desired || 'unset'}`;
  return { cause: changed ? 'config-changed' : 'edited-by-hand', cidr: null, detail, settling: false };
}

/** Entries that we remember as ours and that lost their marker: somebody edited the description. */
export function markersGone({ memory, snapshot, identity }: DriftContext): Drift[] {
  const lost = snapshot.entries.filter(
    (entry) =>
      !isOurs(entry.marker, identity) &&
      memory?.entries.some((one) => one.id === entry.id && one.key === entryKey(entry)),
  );
  const ids = [...new Set(lost.map(({ id }) => id))];
  return ids.flatMap((id) => {
    const [first, ...others] = lost.filter((entry) => entry.id === id);
    if (!first) return [];
    const what =
      others.length === 0
        ? `${entryName(first)} (${id})`
        : `${id}, which holds ${others.length + 1} entries,`;
    const detail = `the marker of ${what} is gone, so it is no longer ours to change; "adopt": true puts it back`;
    return [{ cause: 'edited-by-hand' as const, cidr: first.cidr, detail, settling: false }];
  });
}
