import pLimit from 'p-limit';
import type { Opened, Readable, Snapshot } from '../providers/provider.ts';
import { isOurs } from '../providers/provider.ts';
import { applyPlan } from './apply.ts';
import { type CountedIo, createGates, createIo } from './calls.ts';
import { type Cidr, sortCidrs } from './cidr.ts';
import type { RemovalClocks } from './clocks.ts';
import type { Config, Target } from './config.ts';
import { type GuardedPlan, guardBlastRadius, guardPlan } from './guards/plan.ts';
import type { Ruling } from './guards/ruling.ts';
import type { Outcome } from './outcome.ts';
import type { Pass } from './pass.ts';
import { planTarget } from './plan.ts';
import type { State } from './state/state.ts';

/** A target that was opened and read; a dry run holds no writer. */
export interface ReadTarget {
  readonly target: Target;
  readonly io: CountedIo;
  readonly writer: Opened | null;
  readonly snapshot: Snapshot;
}

/** A target that was not read, and why. */
export interface UnreadTarget {
  readonly target: Target;
  readonly io: CountedIo;
  readonly outcome: Extract<Outcome, { kind: 'skipped' | 'unread' }>;
}

export type Found = ReadTarget | UnreadTarget;

/** One kind of run decides here, and only here, whether it may write. */
function halves(opened: Opened, dryRun: boolean): { readable: Readable; writer: Opened | null } {
  return dryRun
    ? { readable: { read: () => opened.read() }, writer: null }
    : { readable: opened, writer: opened };
}

/** Opens and reads the targets of a pass, several at a time; one that fails leaves the others alone. */
export async function readTargets(pass: Pass, { skip }: { skip: boolean }): Promise<Found[]> {
  const gates = createGates(pass.config.concurrency);
  const targets = pass.config.targets.filter(({ name }) => pass.only?.has(name) ?? true);
  let read = 0;
  return inParallel(pass.config, targets, async (target): Promise<Found> => {
    const { clock, random, uuid, env, callTimeoutMs } = pass.world;
    const io = createIo({
      clock,
      random,
      uuid,
      env,
      signal: pass.signal,
      gate: gates(target.description.account),
      callTimeoutMs,
      onRetry: (operation, error, delayMs) =>
        pass.tell({ type: 'retry', where: `${target.name}: ${operation}`, error, delayMs }),
    });
    if (skip) return { target, io, outcome: { kind: 'skipped' } };
    try {
      const { readable, writer } = halves(await target.provider.open(target.spec, io), pass.dryRun);
      const snapshot = await readable.read();
      return { target, io, writer, snapshot };
    } catch (error) {
      return { target, io, outcome: { kind: 'unread', error } };
    } finally {
      read += 1;
      pass.tell({ type: 'target-read', target: target.name, read, of: targets.length });
    }
  });
}

/** Every address that the targets hold as ours, but for the extra ones: what was allowed until now. */
export function ownedCidrs(found: readonly Found[]): Cidr[] {
  return sortCidrs(
    found.flatMap((one) => {
      if (!('snapshot' in one)) return [];
      const { identity } = one.target.spec;
      const extras = new Set(one.target.extraCidrs);
      return one.snapshot.entries
        .filter(({ marker, cidr }) => isOurs(marker, identity) && !extras.has(cidr))
        .map(({ cidr }) => cidr);
    }),
  );
}

export interface PlanningContext {
  readonly state: State;
  readonly clocks: RemovalClocks;
  /** The ruling on the list, for a target's set of guards that are off. */
  readonly ruleFor: (off: Target['guardsOff']) => Ruling;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface PlannedTarget extends ReadTarget {
  readonly plan: GuardedPlan;
  readonly replan: (snapshot: Snapshot) => GuardedPlan;
}

/** Plans and guards every target that was read, before anything is written anywhere. */
export function planTargets(
  pass: Pass,
  found: readonly Found[],
  context: PlanningContext,
): (PlannedTarget | UnreadTarget)[] {
  const { config, approvals } = pass;
  const knownTargets = new Set(
    config.targets.flatMap(({ name, spec }) => [name, ...spec.identity.previousNames]),
  );
  const planned = found.map((one): PlannedTarget | UnreadTarget => {
    if (!('snapshot' in one)) return one;
    const { target } = one;
    const { inForce, fresh } = context.ruleFor(target.guardsOff);
    if (inForce === null) return { target, io: one.io, outcome: { kind: 'skipped' } };
    const replan = (snapshot: Snapshot) => {
      const plan = planTarget({
        target,
        snapshot,
        list: { cidrs: inForce, fresh },
        clocks: context.clocks,
        removalDelay: config.safety.removalDelay,
        now: context.now,
        memory: memoryOf(context.state, target),
        knownTargets,
      });
      return guardPlan(plan, target, config.safety, approvals);
    };
    return { ...one, plan: replan(one.snapshot), replan };
  });
  const guarded = guardBlastRadius(
    planned.filter((one) => 'plan' in one),
    config.safety,
    approvals,
  );
  const byName = new Map(guarded.map((one) => [one.target.name, one]));
  return planned.map((one) => byName.get(one.target.name) ?? one);
}

/** What is remembered of a target, under its name or one it had before. */
export function memoryOf(state: State, target: Target): State['targets'][string] | undefined {
  const names = [target.name, ...target.spec.identity.previousNames];
  return names.map((name) => state.targets[name]).find((memory) => memory !== undefined);
}

export interface FinishedTarget {
  readonly target: Target;
  readonly io: CountedIo;
  readonly outcome: Outcome;
}

/** Applies what may be applied, several targets at a time; without a writer the plan is the outcome. */
export async function applyTargets(
  pass: Pass,
  planned: readonly (PlannedTarget | UnreadTarget)[],
): Promise<FinishedTarget[]> {
  let done = 0;
  return inParallel(pass.config, planned, async (one): Promise<FinishedTarget> => {
    if (!('plan' in one)) return one;
    const { target, io, plan, snapshot, writer, replan } = one;
    if (!writer) return { target, io, outcome: { kind: 'planned', plan } };
    const { clock, random } = pass.world;
    const applied = await applyPlan(
      writer,
      { plan, snapshot },
      {
        atomic: target.provider.atomic,
        identity: target.spec.identity,
        replan,
        clock,
        random,
        signal: pass.signal,
      },
    );
    done += 1;
    pass.tell({ type: 'target-done', target: target.name, done, of: planned.length });
    return { target, io, outcome: { kind: 'planned', plan, applied } };
  });
}

/** At most `concurrency` at a time; results in the order of the items. */
function inParallel<T, R>(config: Config, items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const limit = pLimit(config.concurrency);
  return Promise.all(items.map((item) => limit(() => work(item))));
}
