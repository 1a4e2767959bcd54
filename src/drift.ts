import { type Entry, isOurs, type Service, type Setting } from '../providers/provider.ts';
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
  contested: 'the same entry was put back three times within a day: something keeps taking it away',
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
const SETTLING_MS = 5 * 60_000;
const DAY_MS = 24 * 3_600_000;
/** How often an entry must have been put back within a day to be called contested. */
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
  const settling = now - remembered.writtenAt < SETTLING_MS && remembered.writtenAt <= now;
  const puts =
    memory?.putBack.filter((put) => put.key === key && now - put.at < DAY_MS && put.at <= now) ?? [];
  if (puts.length >= CONTESTED) {
    const detail =
      `${name} was put back ${puts.length} times within a day and is gone again; ` +
      'likely another tool or infrastructure as code manages the same object';
    return { cause: 'contested', cidr: entry.cidr, detail, settling };
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

interface UndesiredContext extends DriftContext {
  /** What this target should allow. */
  readonly desired: ReadonlySet<Cidr>;
  /** What is published, excluded or not. */
  readonly listed: ReadonlySet<Cidr>;
}

/** Why an owned entry is there that is not desired. */
export function causeOfUndesired(entry: Entry, context: UndesiredContext): Drift {
  const { memory, desired, listed } = context;
  const name = `${entryName(entry)} (${entry.id})`;
  const drift = (cause: Cause, detail: string) => ({ cause, cidr: entry.cidr, detail, settling: false });
  const key = entryKey(entry);
  const known = memory?.entries.some((one) => one.key === key) ?? false;
  const published = desired.has(entry.cidr);
  if (!memory)
    return published
      ? drift('edited-by-hand', `${name} opens ${serviceName(entry)}, which the config does not name`)
      : drift('source-changed', `${name} is ours and no longer desired`);
  if (known && published) return drift('config-changed', `${name}: ${serviceName(entry)} left the config`);
  if (known && listed.has(entry.cidr)) return drift('config-changed', `${name} is in excludeCidrs now`);
  if (known)
    return memory.extras.includes(entry.cidr)
      ? drift('config-changed', `${name} left extraCidrs`)
      : drift('source-changed', `${name} is no longer published`);
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
  if (!memory) return [];
  return snapshot.entries.flatMap((entry) => {
    const key = entryKey(entry);
    const ours = memory.entries.some((one) => one.id === entry.id && one.key === key);
    if (!ours || isOurs(entry.marker, identity)) return [];
    const detail = `the marker of ${entryName(entry)} (${entry.id}) is gone, so it is no longer ours to remove; "adopt": true puts it back`;
    return [{ cause: 'edited-by-hand' as const, cidr: entry.cidr, detail, settling: false }];
  });
}
