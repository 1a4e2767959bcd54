import { describe, expect, test } from 'vitest';
import { emptyReport, exitCodeOf, type Report, reportSchema, type TargetReport } from '../src/report.ts';

const ERROR = { code: 'internal' as const, message: 'm', hint: 'h' };
const HELD = { guard: 'shrink', detail: '3 of 4', id: 'list-0123456789ab' };

function target(more: Partial<TargetReport>): TargetReport {
  return {
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
}

function report(more: Partial<Report>, targets: readonly Partial<TargetReport>[] = [{}]): Report {
  const empty = emptyReport({
    command: 'sync',
    dryRun: false,
    runId: 'run-1',
    now: 0,
    exitCode: 0,
    error: null,
  });
  return { ...empty, targets: targets.map(target), ...more };
}

const source = (status: 'ok' | 'unreachable' | 'moved' | 'malformed' | 'empty') => ({
  ...emptyReport({ command: 'sync', dryRun: false, runId: '', now: 0, exitCode: 0, error: null }).egress,
  sources: [
    {
      type: 'file',
      status,
      url: '',
      count: 0,
      httpStatus: null,
      bytes: null,
      sha256: null,
      etag: null,
      lastModified: null,
      position: null,
      duplicates: [],
      hostBits: [],
      error: null,
    },
  ],
});
const egress = (more: Partial<Report['egress']>) => ({ egress: { ...source('ok'), ...more } });
const drift = [{ cause: 'foreign' as const, cidr: null, detail: '' }];
const pending = {
  cidr: '34.19.100.1/32',
  protocol: null,
  ports: null,
  removeAfter: '2026-03-01T12:00:00.000Z',
};

describe('the exit code', () => {
  test.each<[string, Report, number, number]>([
    ['in sync', report({}), 0, 0],
    ['changed, with drift repaired', report({}, [{ status: 'changed', drift }]), 0, 2],
    ['pending removals that are not due', report({}, [{ pendingRemovals: [pending] }]), 0, 0],
    ['changes to make', report({}, [{ status: 'would-change' }]), 0, 2],
    ['drift alone', report({}, [{ drift }]), 0, 2],
    ['a held plan', report({}, [{ status: 'held', held: [HELD] }]), 3, 3],
    ['a held list', report(egress({ held: [HELD] })), 3, 3],
    [
      'the first list held, so that targets are skipped',
      report(egress({ held: [HELD] }), [{ status: 'skipped' }]),
      3,
      3,
    ],
    ['held, beside changes', report({}, [{ held: [HELD] }, { status: 'would-change' }]), 3, 3],
    ['a refused list', report(egress({ refused: [HELD] })), 1, 1],
    ['a failed target, beside a held one', report({}, [{ status: 'failed' }, { held: [HELD] }]), 1, 1],
    ['an error of the whole', report({ error: ERROR }), 1, 1],
    ['a source that is unreachable', report({ egress: source('unreachable') }), 1, 1],
    ['a source that is empty', report({ egress: source('empty') }), 1, 1],
    [
      'a channel that failed',
      report({ alerts: [{ type: 'stale', severity: 'error', delivered: false }] }),
      1,
      1,
    ],
    [
      'a channel that did not',
      report({ alerts: [{ type: 'stale', severity: 'error', delivered: true }] }),
      0,
      0,
    ],
  ])('of %s', (_, given, sync, check) => {
    expect(exitCodeOf(given, { detailed: false })).toBe(sync);
    expect(exitCodeOf({ ...given, command: 'check', dryRun: true }, { detailed: false })).toBe(check);
    expect(exitCodeOf({ ...given, dryRun: true }, { detailed: true })).toBe(check);
    expect(exitCodeOf({ ...given, dryRun: true }, { detailed: false })).toBe(sync);
    expect(exitCodeOf(given, { detailed: true })).toBe(sync);
  });
});

test('the report of a run that could not begin is a whole one', () => {
  expect(() => reportSchema.parse(report({ error: ERROR }))).not.toThrow();
});
