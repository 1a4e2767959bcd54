import { type Change, isOurs, type Opened, type Snapshot } from '../providers/provider.ts';
import type { Clock } from './clock.ts';
import { entryKey } from './entries.ts';
import { ConflictError } from './errors.ts';
import { actionable, type GuardedPlan } from './guards/plan.ts';
import type { PlannedChange } from './plan.ts';

export interface Planned {
  readonly plan: GuardedPlan;
  readonly snapshot: Snapshot;
}

export interface ApplyOptions {
  readonly atomic: boolean;
  readonly identity: Parameters<typeof isOurs>[1];
  /** Plans and guards again, from what is there now. */
  readonly replan: (snapshot: Snapshot) => GuardedPlan;
  readonly clock: Clock;
  readonly random: () => number;
  /** The run's deadline. */
  readonly signal: AbortSignal;
}

export interface Applied {
  /** What was planned at first, and what a lost race added to it. */
  readonly changes: readonly PlannedChange[];
  /** Keys of the changes that are done. */
  readonly done: ReadonlySet<string>;
  /** What was planned last: what is still blocked or pending. */
  readonly plan: GuardedPlan;
  /** The last read. */
  readonly snapshot: Snapshot;
  /** Additions that were written and do not show in any read; removals wait for them. */
  readonly unproven: readonly PlannedChange[];
  /** Why it ended before everything was done; undefined when nothing went wrong. */
  readonly error?: unknown;
}

/** Lost races in a row before giving up until the next run. */
const MAX_RACES = 6;
/** How long a proof is looked for: reads after writes may lag (EC2 is eventually consistent), at times by minutes. */
const PROOF_DELAYS_MS = [0, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000];
const RACE_DELAY_MS = 1_000;

/**
 * Brings one target to its plan in the only order there is: additions, a read that proves them, removals. So at no
 * moment is a desired address without access. A full object gives up what is no longer published first; an object
 * that is written as a whole gets one write and one proving read. A lost race is read and planned again.
 */
export async function applyPlan(target: Opened, first: Planned, options: ApplyOptions): Promise<Applied> {
  const changes = new Map(actionable(first.plan).map((change) => [change.key, change]));
  const done = new Set<string>();
  let { plan, snapshot } = first;
  let unproven: PlannedChange[] = [];
  try {
    for (let races = 0; ; races += 1) {
      try {
        for (const stage of stagesOf(plan, options.atomic)) {
          const pending = stage.proves ? stage.changes : stillThere(stage.changes, snapshot, options);
          if (pending.length === 0) continue;
          await target.write(
            pending.map(({ change }) => change),
            snapshot,
          );
          if (stage.proves) {
            ({ snapshot, unproven } = await prove(target, pending, options));
            if (unproven.length > 0) break;
          }
          for (const { key } of stage.changes) done.add(key);
        }
        return { changes: [...changes.values()], done, plan, snapshot, unproven };
      } catch (error) {
        if (!(error instanceof ConflictError) || races >= MAX_RACES) throw error;
        await options.clock.sleep(RACE_DELAY_MS * 2 ** races * (0.5 + options.random() / 2), options.signal);
        snapshot = await target.read();
        plan = options.replan(snapshot);
        const left = new Map(plan.changes.map((change) => [change.key, change]));
        // What was wanted and is no longer missing has happened, by our hand or by another's.
        for (const key of changes.keys()) if (!left.has(key)) done.add(key);
        for (const change of actionable(plan)) changes.set(change.key, change);
      }
    }
  } catch (error) {
    return { changes: [...changes.values()], done, plan, snapshot, unproven, error };
  }
}

interface Stage {
  readonly changes: readonly PlannedChange[];
  /** Whether a read must show the changes before anything else is done. */
  readonly proves: boolean;
}

function stagesOf(plan: GuardedPlan, atomic: boolean): Stage[] {
  const changes = actionable(plan);
  if (atomic) return [{ changes, proves: true }];
  const removals = changes.filter(({ change }) => change.action === 'remove');
  return [
    { changes: removals.filter(({ key }) => plan.early.has(key)), proves: false },
    { changes: changes.filter(({ change }) => change.action !== 'remove'), proves: true },
    { changes: removals.filter(({ key }) => !plan.early.has(key)), proves: false },
  ].filter((stage) => stage.changes.length > 0);
}

/** Removals of what the latest read still shows as ours, by the ids of that read. */
function stillThere(
  removals: readonly PlannedChange[],
  snapshot: Snapshot,
  { identity }: ApplyOptions,
): PlannedChange[] {
  return removals.flatMap((planned) => {
    const { change } = planned;
    if (change.action !== 'remove') return [];
    const key = entryKey(change.entry);
    const entry = snapshot.entries.find((one) => entryKey(one) === key && isOurs(one.marker, identity));
    return entry ? [{ ...planned, change: { action: 'remove' as const, entry } }] : [];
  });
}

async function prove(
  target: Opened,
  changes: readonly PlannedChange[],
  { clock, signal, identity }: ApplyOptions,
): Promise<{ snapshot: Snapshot; unproven: PlannedChange[] }> {
  for (let attempt = 0; ; attempt += 1) {
    await clock.sleep(PROOF_DELAYS_MS[attempt] ?? 0, signal);
    const snapshot = await target.read();
    const unproven = changes.filter(({ change }) => !shows(snapshot, change, identity));
    if (unproven.length === 0 || attempt + 1 >= PROOF_DELAYS_MS.length) return { snapshot, unproven };
  }
}

function shows(snapshot: Snapshot, change: Change, identity: ApplyOptions['identity']): boolean {
  switch (change.action) {
    case 'add': {
      const key = entryKey(change.entry);
      return snapshot.entries.some((entry) => entryKey(entry) === key);
    }
    case 'remove': {
      const key = entryKey(change.entry);
      return !snapshot.entries.some((entry) => entryKey(entry) === key && isOurs(entry.marker, identity));
    }
    case 'mark': {
      const key = entryKey(change.entry);
      return snapshot.entries.some(
        (entry) =>
          entryKey(entry) === key &&
          entry.marker?.target === identity.target &&
          isOurs(entry.marker, identity),
      );
    }
    case 'update': {
      const { field, id } = change.setting;
      return !snapshot.settings.some(
        (one) => one.field === field && one.id === id && one.actual !== one.desired,
      );
    }
  }
}
