import { isOurs } from '../../providers/provider.ts';
import type { Applied } from '../apply.ts';
import type { Cidr } from '../cidr.ts';
import { SETTLING_MS } from '../drift.ts';
import { type EntryKey, entriesOf, entryKey, serviceName } from '../entries.ts';
import type { Ruling } from '../guards/ruling.ts';
import type { PlanTarget } from '../plan.ts';
import type { State, TargetMemory } from './state.ts';

const DAY_MS = 24 * 3_600_000;
const WEEK_MS = 7 * DAY_MS;

export const EMPTY_STATE: State = {
  version: 1,
  accepted: null,
  relaxed: {},
  untold: null,
  recent: [],
  clocks: [],
  targets: {},
  alerts: {},
  held: [],
  lastAgreedAt: null,
  lastSuccessAt: null,
};

/**
 * What to remember of a target after a run: what is ours there and by which id, so that the next run can tell who
 * changed what. Entries that somebody took away stay remembered while they are desired, and what somebody added is
 * not taken for ours by having been seen, so that an unrepaired difference keeps its cause.
 */
export function rememberTarget(
  target: PlanTarget,
  applied: Applied,
  before: TargetMemory | undefined,
  now: number,
): TargetMemory {
  const { plan, snapshot, changes, done, written } = applied;
  const { services, object } = target.description;
  const memory = before?.object === object ? before : undefined;
  const removed = new Set(
    changes.flatMap(({ key }) => (key.startsWith('remove ') && done.has(key) ? [key] : [])),
  );
  const gone = (key: EntryKey) => removed.has(`remove ${key}`);

  const there = snapshot.entries.filter((entry) => !gone(entryKey(entry)));
  const present = new Set(there.map(entryKey));
  const ours = there.filter((entry) => isOurs(entry.marker, target.spec.identity));
  const ids = new Set(there.map(({ id }) => id));
  const wanted = new Set(entriesOf(plan.desired, services).map(entryKey));
  const known = new Map(memory?.entries.map((one) => [one.key, one]));
  const writtenAt = (key: EntryKey) => (written.has(`add ${key}`) ? now : (known.get(key)?.writtenAt ?? 0));
  const found = ours
    .map((entry) => ({ key: entryKey(entry), cidr: entry.cidr, id: entry.id }))
    .filter(({ key }) => !memory || wanted.has(key) || known.has(key));
  const foundKeys = new Set(found.map(({ key }) => key));
  const missed = [...known.values()].filter(
    ({ key, id }) =>
      !foundKeys.has(key) && !gone(key) && wanted.has(key) && (!present.has(key) || ids.has(id)),
  );
  const held = (cidr: Cidr) => services.every((service) => present.has(entryKey({ ...service, cidr })));
  const ownedCidrs = new Set(ours.map(({ cidr }) => cidr));
  return {
    object,
    desired: plan.desired.filter((cidr) => held(cidr) || (memory?.desired.includes(cidr) ?? false)),
    extras: [
      ...new Set([...target.extraCidrs, ...(memory?.extras ?? []).filter((cidr) => ownedCidrs.has(cidr))]),
    ],
    services: services.map(serviceName).filter((name) => there.some((entry) => serviceName(entry) === name)),
    entries: [...found, ...missed].map((one) => ({ ...one, writtenAt: writtenAt(one.key) })),
    settings: snapshot.settings.map(({ field, desired }) => ({ field, desired })),
    putBack: [
      ...(memory?.putBack ?? []).filter(({ at }) => now - at < DAY_MS && at <= now),
      ...changes
        .filter(
          ({ change, key, cause }) => change.action === 'add' && written.has(key) && PUT_BACK.has(cause),
        )
        .map(({ key }) => ({ key: key.replace('add ', ''), at: now })),
    ],
    removed: [
      ...(memory?.removed ?? []).filter(({ at }) => now - at < SETTLING_MS && at <= now),
      ...changes.flatMap(({ change, key }) =>
        change.action === 'remove' && written.has(key) ? [{ key: entryKey(change.entry), at: now }] : [],
      ),
    ],
    leftovers: [
      ...new Set([
        ...(memory?.leftovers ?? []).filter((key) => present.has(key)),
        ...plan.changes
          .filter(({ leftover, key }) => leftover && !done.has(key))
          .map(({ key }) => key.replace('remove ', '')),
      ]),
    ],
  };
}

const PUT_BACK: ReadonlySet<string> = new Set(['removed-by-hand', 'edited-by-hand', 'contested']);

/** The accepted list and the recent ones after this run. */
export function rememberList(
  { accepted, recent }: State,
  ruling: Ruling,
  now: number,
): Pick<State, 'accepted' | 'recent'> {
  if (ruling.verdict !== 'accepted' || !ruling.candidate || !ruling.listId) return { accepted, recent };
  const cidrs = [...ruling.candidate];
  const same = accepted?.listId === ruling.listId;
  const last = recent.at(-1);
  // A list is as recent as the last time it was seen, so the time stamp of an unchanged one moves on.
  const kept = same && last ? recent.slice(0, -1) : recent;
  const since = ruling.approved ? [] : kept.filter(({ at }) => now - at < WEEK_MS && at <= now);
  return {
    accepted:
      same && !ruling.approved
        ? accepted
        : { listId: ruling.listId, cidrs, at: now, approved: ruling.approved },
    recent: [...since, { at: now, cidrs }],
  };
}
