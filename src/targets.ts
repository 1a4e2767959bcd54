import pLimit from 'p-limit';
import type { Opened, Readable, Snapshot } from '../providers/provider.ts';
import { isOurs } from '../providers/provider.ts';
import { applyPlan } from './apply.ts';
import { type CountedIo, createGates, createIo } from './calls.ts';
import { type Cidr, sortCidrs } from './cidr.ts';
import type { RemovalClocks } from './clocks.ts';
import type { Config, Target } from './config.ts';
import { type GuardedPlan, guardBlastRadius, guardPlan } from './guards/plan.ts';
import type { Outcome } from './outcome.ts';
import type { Pass } from './pass.ts';
import { type Plan, planTarget } from './plan.ts';
import type { Rulings } from './rule.ts';
import type { State } from './state/state.ts';

/** A target that was opened and read; a dry run holds no writer. */
interface ReadTarget {
  readonly target: Target;
  readonly io: CountedIo;
  readonly readable: Readable;
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
  if (!dryRun) return { readable: opened, writer: opened };
  const exactCapacity = opened.exactCapacity?.bind(opened);
  return { readable: { read: () => opened.read(), ...(exactCapacity && { exactCapacity }) }, writer: null };
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
      return { target, io, readable, writer, snapshot };
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
  readonly rulings: Pick<Rulings, 'rulingFor'>;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface PlannedTarget extends ReadTarget {
  readonly plan: GuardedPlan;
  readonly replan: (snapshot: Snapshot) => Promise<GuardedPlan>;
}

/** Plans and guards every target that was read, before anything is written anywhere. */
export async function planTargets(
  pass: Pass,
  found: readonly Found[],
  context: PlanningContext,
): Promise<(PlannedTarget | UnreadTarget)[]> {
  const { config, approvals } = pass;
  const planned = await Promise.all(
    found.map((one) => ('snapshot' in one ? planOne(pass, one, context) : Promise.resolve(one))),
  );
  const guarded = guardBlastRadius(
    planned.filter((one) => 'plan' in one),
    config.safety,
    approvals,
  );
  const byName = new Map(guarded.map((one) => [one.target.name, one]));
  return planned.map((one) => byName.get(one.target.name) ?? one);
}

async function planOne(
  pass: Pass,
  one: ReadTarget,
  context: PlanningContext,
): Promise<PlannedTarget | UnreadTarget> {
  const { config, approvals } = pass;
  const { target, io, readable, snapshot } = one;
  const { inForce, fresh } = context.rulings.rulingFor(target.guardsOff);
  if (inForce === null) return { target, io, outcome: { kind: 'skipped' } };
  const common = {
    target,
    list: { cidrs: inForce, fresh },
    clocks: context.clocks,
    removalDelay: config.safety.removalDelay,
    now: context.now,
    memory: memoryOf(context.state, target),
    everListed: everListed(context.state),
    knownTargets: new Set(config.targets.flatMap(({ name, spec }) => [name, ...spec.identity.previousNames])),
  };
  const planFor = async (seen: Snapshot): Promise<Plan> => {
    const plan = planTarget({ ...common, snapshot: seen });
    if (plan.overflow === null && plan.early.size === 0) return plan;
    return planTarget({ ...common, snapshot: await measure(readable, seen) });
  };
  const guard = (plan: Plan, ids: ReadonlySet<string>) => guardPlan(plan, target, config.safety, ids);
  try {
    const plan = guard(await planFor(snapshot), approvals);
    if (plan.refusal)
      return { target, io, outcome: { kind: 'unread', error: plan.refusal, drift: plan.drift } };
    const shown = new Set(plan.changes.map(({ key }) => key));
    const replan = async (seen: Snapshot): Promise<GuardedPlan> => {
      const next = await planFor(seen);
      // Who approved the plan approved what is left of it after a lost race, and nothing that came on top.
      const rest = plan.released.includes(plan.id) && next.changes.every(({ key }) => shown.has(key));
      return guard(next, rest ? new Set([...approvals, next.id]) : approvals);
    };
    return { ...one, plan, replan };
  } catch (error) {
    return { target, io, outcome: { kind: 'unread', error } };
  }
}

/** The snapshot with the capacity as the service itself tells it, where that can be asked. */
async function measure(readable: Readable, snapshot: Snapshot): Promise<Snapshot> {
  if (!readable.exactCapacity) return snapshot;
  const capacity = await readable.exactCapacity(snapshot);
  if (capacity) return { ...snapshot, capacity };
  const detail = 'the real quota could not be read, so the default is taken for it';
  return { ...snapshot, warnings: [...snapshot.warnings, { code: 'capacity-unknown', detail }] };
}

function everListed({ accepted, recent, relaxed }: State): Set<Cidr> {
  const lists = [...(accepted ? [accepted] : []), ...recent, ...Object.values(relaxed)];
  return new Set(lists.flatMap(({ cidrs }) => cidrs));
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
    const applied = await applyPlan(
      writer,
      { plan, snapshot },
      {
        atomic: target.provider.atomic,
        identity: target.spec.identity,
        replan,
        sleep: io.sleep,
        random: pass.world.random,
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
