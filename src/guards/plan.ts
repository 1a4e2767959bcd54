import type { Safety, Target } from '../config.ts';
import { checksum, type Plan, type PlannedChange } from '../plan.ts';
import { exceeds, limitText, some } from './list.ts';
import type { PLAN_GUARDS } from './names.ts';

type PlanGuard = (typeof PLAN_GUARDS)[number];

/** A change, or several, that waits for a person. */
interface Hold {
  readonly guard: PlanGuard;
  /** The numbers: n of total, the limit, and where to change it. */
  readonly detail: string;
  /** What `sync --approve` takes to release it. */
  readonly id: string;
}

/** A plan with what may not be done now. */
export interface GuardedPlan extends Plan {
  readonly holds: readonly Hold[];
  /** Keys of changes that are left alone, and why. */
  readonly blocked: ReadonlyMap<string, 'mode' | PlanGuard>;
  /** Ids of approvals that let something through. */
  readonly released: readonly string[];
}

export type GuardTarget = Pick<Target, 'name' | 'mode' | 'guardsOff'>;

/**
 * The guards of one plan: capacity (nothing is begun that cannot end), shrink (how many addresses one target may
 * lose at once), adoption (what an object held before it was taken over). A plan whose id is approved passes.
 */
export function guardPlan(
  plan: Plan,
  target: GuardTarget,
  limits: Pick<Safety, 'maxShrink'>,
  approvals: ReadonlySet<string>,
): GuardedPlan {
  const blocked = new Map<string, 'mode' | PlanGuard>();
  for (const { key, change } of plan.changes) {
    const leftByMode =
      target.mode === 'observe' || (target.mode === 'add-only' && change.action === 'remove');
    if (leftByMode) blocked.set(key, 'mode');
  }
  const active = plan.changes.filter(({ key }) => !blocked.has(key));
  const findings = [capacity(plan, active), adoption(active), shrink(plan, active, limits)].filter(
    (found) => found !== undefined && !target.guardsOff.has(found.guard),
  );
  if (findings.length > 0 && approvals.has(plan.id))
    return { ...plan, holds: [], blocked, released: [plan.id] };
  const holds: Hold[] = [];
  for (const found of findings) {
    if (!found) continue;
    holds.push({ guard: found.guard, detail: found.detail, id: plan.id });
    for (const { key } of found.changes) blocked.set(key, found.guard);
  }
  return { ...plan, holds, blocked, released: [] };
}

/**
 * The guard over all targets: when more of them would change than safety.maxTargetsChanged, none does. One id
 * releases them all; the id of a single plan releases that one.
 */
export function guardBlastRadius<T extends { readonly plan: GuardedPlan; readonly target: GuardTarget }>(
  planned: readonly T[],
  limits: Pick<Safety, 'maxTargetsChanged'>,
  approvals: ReadonlySet<string>,
): T[] {
  const { maxTargetsChanged: most } = limits;
  const changing = planned.filter(
    ({ plan, target }) => actionable(plan).length > 0 && !target.guardsOff.has('blast-radius'),
  );
  if (most === null || changing.length <= most) return [...planned];
  const id = checksum('plan', changing.map(({ plan }) => plan.id).sort());
  const detail = `${changing.length} of ${planned.length} targets would change; the limit is ${most} (safety.maxTargetsChanged)`;
  const hit = new Set<T>(changing);
  return planned.map((one) => {
    if (!hit.has(one)) return one;
    const { plan } = one;
    const by = [id, plan.id].find((approval) => approvals.has(approval));
    if (by !== undefined) return { ...one, plan: { ...plan, released: [...plan.released, by] } };
    const blocked = new Map(plan.blocked);
    for (const { key } of actionable(plan)) blocked.set(key, 'blast-radius');
    return {
      ...one,
      plan: { ...plan, holds: [...plan.holds, { guard: 'blast-radius', detail, id }], blocked },
    };
  });
}

/** The changes that may be made now. */
export function actionable(plan: GuardedPlan): PlannedChange[] {
  return plan.changes.filter(({ key }) => !plan.blocked.has(key));
}

interface Found {
  readonly guard: PlanGuard;
  readonly detail: string;
  readonly changes: readonly PlannedChange[];
}

function capacity(plan: Plan, active: readonly PlannedChange[]): Found | undefined {
  if (plan.overflow === null || active.length === 0) return undefined;
  return { guard: 'capacity', detail: `${plan.overflow}; nothing was begun`, changes: active };
}

function adoption(active: readonly PlannedChange[]): Found | undefined {
  const leftovers = active.filter(({ leftover }) => leftover);
  if (leftovers.length === 0) return undefined;
  const detail = `${leftovers.length} entries were there when the object was taken over: ${some(leftovers.map(({ key }) => key.replace('remove ', '')))}`;
  return { guard: 'adoption', detail, changes: leftovers };
}

function shrink(
  plan: Plan,
  active: readonly PlannedChange[],
  { maxShrink }: Pick<Safety, 'maxShrink'>,
): Found | undefined {
  const staying = new Set(plan.desired);
  const lost = active.filter(
    ({ change, approved, leftover, key }) =>
      change.action === 'remove' &&
      !approved &&
      !leftover &&
      !plan.early.has(key) &&
      // An address that keeps access by another entry (a changed port) is not lost.
      !staying.has(change.entry.cidr),
  );
  const count = new Set(lost.flatMap(({ change }) => (change.action === 'remove' ? [change.entry.cidr] : [])))
    .size;
  if (!exceeds(count, plan.owned, maxShrink)) return undefined;
  const detail = `${count} of ${plan.owned} addresses would be removed; the limit is ${limitText(maxShrink)} (safety.maxShrink)`;
  return { guard: 'shrink', detail, changes: lost };
}
