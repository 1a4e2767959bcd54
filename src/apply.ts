import { type Change, isOurs, type Opened, type Snapshot } from '../providers/provider.ts';
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
  readonly replan: (snapshot: Snapshot) => Promise<GuardedPlan>;
  /** Waits; throws an error of the catalogue when the run's deadline passes. */
  readonly sleep: (ms: number) => Promise<void>;
  readonly random: () => number;
}

export interface Applied {
  /** What was planned at first, and what a lost race added to it. */
  readonly changes: readonly PlannedChange[];
  /** Keys of the changes that are done, by us or, in a lost race, by somebody else. */
  readonly done: ReadonlySet<string>;
  /** Keys of the changes that we sent and the service took, whether a read has shown them yet or not. */
  readonly written: ReadonlySet<string>;
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
  const written = new Set<string>();
  let { plan, snapshot } = first;
  let unproven: readonly PlannedChange[] = [];
  const result = () => ({ changes: [...changes.values()], done, written, plan, snapshot, unproven });
  try {
    for (let races = 0; ; races += 1) {
      try {
        for (const stage of stagesOf(plan, options.atomic)) {
          const sent = stage.proves ? stage.changes : stillThere(stage.changes, snapshot, options);
          if (sent.length > 0) {
            await target.write(
              sent.map(({ change }) => change),
              snapshot,
            );
            for (const { key } of sent) written.add(key);
          }
          if (stage.proves) {
            unproven = sent;
            ({ snapshot, unproven } = await prove(target, sent, options));
          }
          const hidden = new Set(unproven.map(({ key }) => key));
          for (const { key } of stage.changes) if (!hidden.has(key)) done.add(key);
          if (unproven.length > 0) break;
        }
        return result();
      } catch (error) {
        if (!(error instanceof ConflictError) || races >= MAX_RACES) throw error;
        await options.sleep(RACE_DELAY_MS * 2 ** races * (0.5 + options.random() / 2));
        unproven = [];
        snapshot = await target.read();
        plan = await options.replan(snapshot);
        if (plan.refusal) throw plan.refusal;
        // What was wanted and is there now has happened, by our hand or by another's.
        for (const [key, { change }] of changes) if (shows(snapshot, change, options.identity)) done.add(key);
        for (const change of actionable(plan)) changes.set(change.key, change);
      }
    }
  } catch (error) {
    return { ...result(), error };
  }
}

interface Stage {
  readonly changes: readonly PlannedChange[];
  /** Whether a read must show the changes before anything else is done. */
  readonly proves: boolean;
}

function stagesOf(plan: GuardedPlan, atomic: boolean): Stage[] {
  const changes = actionable(plan);
  const removals = changes.filter(({ change }) => change.action === 'remove');
  const stages = atomic
    ? [{ changes, proves: true }]
    : [
        { changes: removals.filter(({ key }) => plan.early.has(key)), proves: false },
        { changes: changes.filter(({ change }) => change.action !== 'remove'), proves: true },
        { changes: removals.filter(({ key }) => !plan.early.has(key)), proves: false },
      ];
  return stages.filter((stage) => stage.changes.length > 0);
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
  { sleep, identity }: ApplyOptions,
): Promise<{ snapshot: Snapshot; unproven: PlannedChange[] }> {
  for (let attempt = 0; ; attempt += 1) {
    await sleep(PROOF_DELAYS_MS[attempt] ?? 0);
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
