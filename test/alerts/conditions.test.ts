import { expect, test } from 'vitest';
import { conditionsOf, countChanges, type Facts } from '../../src/alerts/conditions.ts';
import type { Drift } from '../../src/drift.ts';
import { emptyReport, type TargetReport } from '../../src/report.ts';

const NOTHING: Facts = {
  report: emptyReport({ command: 'sync', dryRun: false, runId: '', now: 0, exitCode: 0, error: null }),
  configPath: '/etc/allowlist-sync.json',
  drift: new Map(),
  contested: new Map(),
  listChange: null,
  notes: [],
  blind: null,
  disagreement: null,
  stale: null,
};

function withTarget(more: Partial<TargetReport>, drift: readonly Drift[] = []): Facts {
  const target: TargetReport = {
    name: 'orders',
    provider: 'file',
    status: 'in-sync',
    planId: null,
    changes: [],
    drift: [],
    pendingRemovals: [],
    held: [],
    warnings: [],
    apiCalls: 1,
    error: null,
    ...more,
  };
  return {
    ...NOTHING,
    report: { ...NOTHING.report, targets: [target] },
    drift: new Map([['orders', drift]]),
  };
}

const drift = (cause: Drift['cause'], settling = false): Drift => ({
  cause,
  cidr: null,
  detail: 'what',
  settling,
});
const keys = (facts: Facts) => conditionsOf(facts).map(({ key }) => key);

test('a quiet pass gives nothing to tell', () => {
  expect(conditionsOf(NOTHING)).toEqual([]);
  expect(conditionsOf(withTarget({}))).toEqual([]);
});

test('what hands did is told, what the list and the config do is not, nor what may only be late', () => {
  for (const cause of ['removed-by-hand', 'added-by-hand', 'edited-by-hand', 'foreign'] as const)
    expect(keys(withTarget({}, [drift(cause)]))).toEqual(['drift.found:orders']);
  for (const cause of ['source-changed', 'config-changed', 'new-target'] as const)
    expect(keys(withTarget({}, [drift(cause)]))).toEqual([]);
  expect(keys(withTarget({}, [drift('removed-by-hand', true)]))).toEqual([]);
});

test('an entry that is fought over has a condition of its own, the same while it lasts', () => {
  const facts = (times: number) => ({
    ...withTarget({}, [{ ...drift('contested'), detail: `put back ${times} times` }]),
    contested: new Map([['orders', ['34.19.100.1/32 tcp 5432']]]),
  });
  const [first, ...rest] = conditionsOf(facts(3));
  expect(rest).toEqual([]);
  expect(first).toMatchObject({ key: 'drift.contested:orders', type: 'drift.found', lasting: true });
  expect(conditionsOf(facts(9))[0]?.fingerprint).toBe(first?.fingerprint);
});

test('holds say how to release exactly them', () => {
  const held = [{ guard: 'shrink', detail: '3 of 4', id: 'plan-0123456789ab' }];
  expect(conditionsOf(withTarget({ status: 'held', held }))).toMatchObject([
    {
      type: 'target.held',
      action:
        'To release exactly this: allowlist-sync sync --approve plan-0123456789ab --config /etc/allowlist-sync.json',
    },
  ]);
});

test('what was applied is counted', () => {
  expect(
    countChanges([{ action: 'add' }, { action: 'add' }, { action: 'remove' }, { action: 'update' }]),
  ).toBe('2 added, 1 updated, 1 removed');
  expect(countChanges([])).toBe('nothing');
});
