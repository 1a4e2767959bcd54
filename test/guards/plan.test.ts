import { describe, expect, test } from 'vitest';
import type { Marker } from '../../providers/provider.ts';
import { PLAN_GUARDS } from '../../src/guards/names.ts';
import { actionable, type GuardTarget, guardBlastRadius, guardPlan } from '../../src/guards/plan.ts';
import { type PlanInput, planTarget } from '../../src/plan.ts';
import { US } from '../support/object.ts';
import { address, entry, LIMITS, NO_LIMITS, planInput, planTargetOf, snapshot } from '../support/plans.ts';

const there = (from: number, to: number, marker: Marker | null = US) =>
  Array.from({ length: to - from + 1 }, (_, n) => entry(address(from + n), marker));
const listed = (from: number, to: number) => there(from, to).map(({ cidr }) => cidr);
const none: ReadonlySet<string> = new Set();

function guard(
  input: PlanInput,
  more: Partial<GuardTarget> = {},
  {
    limits = LIMITS,
    approvals = none,
  }: { limits?: typeof LIMITS | typeof NO_LIMITS; approvals?: ReadonlySet<string> } = {},
) {
  const target = { ...input.target, guardsOff: new Set<never>(), ...more };
  return guardPlan(planTarget({ ...input, target }), target, limits, approvals);
}

/** One plan for each guard that it meets. */
const MEETS: Record<Exclude<(typeof PLAN_GUARDS)[number], 'blast-radius'>, PlanInput> = {
  capacity: planInput(listed(1, 3), [], {
    snapshot: snapshot(there(8, 9, null), { capacity: [{ scope: 'all', used: 2, limit: 4 }] }),
  }),
  shrink: planInput(listed(1, 5), there(1, 9)),
  adoption: planInput(listed(1, 3), there(1, 5, null), {
    target: planTargetOf({ adopt: true, provider: { adopts: 'object', atomic: true } }),
  }),
};

describe.each(Object.entries(MEETS))('the guard %s', (name, input) => {
  test('holds what it names with the numbers, and the id of the plan releases exactly that', () => {
    const plan = guard(input);
    expect(plan.holds).toMatchObject([{ guard: name, id: plan.id, detail: expect.stringMatching(/\d/) }]);
    expect(plan.blocked.size).toBeGreaterThan(0);
    const released = guard(input, {}, { approvals: new Set([plan.id]) });
    expect(released).toMatchObject({ holds: [], released: [plan.id] });
    expect(actionable(released)).toHaveLength(plan.changes.length);
    expect(guard(input, {}, { approvals: new Set(['plan-000000000000']) }).holds).toHaveLength(1);
  });
  test('is off where the config says so', () => {
    const off = new Set(PLAN_GUARDS.filter((one) => one === name));
    expect(guard(input, { guardsOff: off })).toMatchObject({ holds: [], released: [] });
  });
});

test('an approval that nothing needed is not spent', () => {
  const input = planInput(listed(1, 3), there(1, 2));
  const { id } = guard(input);
  expect(guard(input, {}, { approvals: new Set([id]) }).released).toEqual([]);
});

describe('shrink of a target', () => {
  test('holds the removals that it counts, and lets the additions go on', () => {
    const plan = guard(planInput(listed(5, 10), there(1, 9)));
    expect(actionable(plan).map(({ change }) => change.action)).toEqual(['add']);
    expect(plan.holds[0]?.detail).toBe(
      '4 of 9 addresses would be removed; the limit is 5 or 30 % (safety.maxShrink)',
    );
  });
  test('counts addresses that lose all access: not a port that changes, not what was approved with its list', () => {
    const services = [{ protocol: 'tcp', ports: '6432' }];
    const target = planTargetOf({ description: { object: 'group sg-1', services } });
    expect(guard(planInput(listed(1, 9), there(1, 9), { target })).holds).toEqual([]);
    const clocks = new Map(
      listed(6, 9).map((cidr) => [cidr, { since: 0, sightings: 2, approved: true, listed: true }]),
    );
    expect(guard(planInput(listed(1, 5), there(1, 9), { clocks })).holds).toEqual([]);
  });
});

describe('modes', () => {
  const input = planInput(listed(1, 3), there(3, 4));
  test('observe does nothing, add-only removes nothing', () => {
    expect(actionable(guard(input, { mode: 'observe' }, { limits: NO_LIMITS }))).toEqual([]);
    const left = actionable(guard(input, { mode: 'add-only' }, { limits: NO_LIMITS }));
    expect(left.map(({ change }) => change.action)).toEqual(['add', 'add']);
  });
  test('what a mode leaves is not held, and no approval brings it about', () => {
    const held = planInput(listed(1, 5), there(1, 9));
    const plan = guard(held, { mode: 'add-only' });
    expect(plan.holds).toEqual([]);
    expect(actionable(guard(held, { mode: 'observe' }, { approvals: new Set([plan.id]) }))).toEqual([]);
  });
  test('add-only never makes room by removing', () => {
    const full = planInput(listed(2, 3), [], {
      snapshot: snapshot(there(1, 2), { capacity: [{ scope: 'all', used: 2, limit: 2 }] }),
    });
    expect(guard(full, {}, { limits: NO_LIMITS }).early.size).toBe(1);
    const plan = guard(full, { mode: 'add-only' }, { limits: NO_LIMITS });
    expect(plan.holds).toMatchObject([{ guard: 'capacity' }]);
    expect(actionable(plan)).toEqual([]);
  });
});

test('a full object holds everything when even the removals make no room, published addresses above all', () => {
  const plan = guard(
    planInput(listed(1, 4), [], {
      snapshot: snapshot([...there(1, 2), ...there(8, 9)], {
        capacity: [{ scope: 'all', used: 4, limit: 3 }],
      }),
    }),
    {},
    { limits: NO_LIMITS },
  );
  expect(plan.holds).toMatchObject([{ guard: 'capacity' }]);
  expect(actionable(plan)).toEqual([]);
});

test('a full object does not change ports by closing the old ones first: the addresses are still published', () => {
  const services = [{ protocol: 'tcp', ports: '6432' }];
  const plan = guard(
    planInput(listed(1, 3), [], {
      target: planTargetOf({ description: { object: 'group sg-1', services } }),
      snapshot: snapshot(there(1, 3), { capacity: [{ scope: 'all', used: 3, limit: 3 }] }),
    }),
    {},
    { limits: NO_LIMITS },
  );
  expect(plan.early.size).toBe(0);
  expect(plan.holds).toMatchObject([{ guard: 'capacity' }]);
});

describe('blast radius', () => {
  const one = (name: string, list: number, off: readonly 'blast-radius'[] = []) => {
    const target = { ...planTargetOf({ name }), guardsOff: new Set(off) };
    const input = planInput(listed(1, list), there(1, 3), { target });
    return { target, plan: guard(input, target, { limits: NO_LIMITS }) };
  };
  const changing = () => [one('a', 4), one('b', 5), one('c', 3)];
  const limit = (most: number | null) => ({ maxTargetsChanged: most });

  test('holds all that would change when they are too many, with one id', () => {
    const [a, b, c] = guardBlastRadius(changing(), limit(1), none);
    expect(a?.plan.holds).toMatchObject([
      {
        guard: 'blast-radius',
        detail: '2 of 3 targets would change; the limit is 1 (safety.maxTargetsChanged)',
      },
    ]);
    expect(b?.plan.holds[0]?.id).toBe(a?.plan.holds[0]?.id);
    expect([a, b].map((each) => (each ? actionable(each.plan) : []))).toEqual([[], []]);
    expect(c?.plan.holds).toEqual([]);
  });
  test('lets them pass at the limit, without one, and when it is off', () => {
    for (const [targets, most] of [
      [changing(), 2],
      [changing(), null],
      [[one('a', 4), one('b', 5, ['blast-radius'])], 1],
    ] as const)
      expect(guardBlastRadius([...targets], limit(most), none).flatMap(({ plan }) => plan.holds)).toEqual([]);
  });
  test('is released for all by its id, for one target by the id of its plan', () => {
    const [first] = guardBlastRadius(changing(), limit(1), none);
    const id = first?.plan.holds[0]?.id ?? '';
    const all = guardBlastRadius(changing(), limit(1), new Set([id]));
    expect(all.map(({ plan }) => plan.released)).toEqual([[id], [id], []]);
    const plan = first?.plan.id ?? '';
    const some = guardBlastRadius(changing(), limit(1), new Set([plan]));
    expect(some.map(({ plan }) => plan.holds.length)).toEqual([0, 1, 0]);
  });
});
