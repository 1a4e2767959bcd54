import { expect, test } from 'vitest';
import { styleFor } from '../../src/render/style.ts';
import { renderReport } from '../../src/render/text.ts';
import { type ChangeReport, emptyReport, type Report, type TargetReport } from '../../src/report.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');

function target(name: string, more: Partial<TargetReport> = {}): TargetReport {
  return {
    name,
    provider: 'aws-security-group',
    status: 'in-sync',
    planId: 'plan-0123456789ab',
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

function change(more: Partial<ChangeReport>): ChangeReport {
  const tcp = { protocol: 'tcp', ports: '5432' };
  return { action: 'add', cidr: '34.19.100.1/32', ...tcp, cause: 'source-changed', applied: true, ...more };
}

/** The lines of the targets alone. */
function render(...targets: TargetReport[]): string[] {
  const empty = emptyReport({
    command: 'sync',
    dryRun: false,
    runId: 'run-1',
    now: NOW,
    exitCode: 0,
    error: null,
  });
  return renderReport({ ...empty, targets }, styleFor(false)).slice(2, -2);
}

test('targets with nothing to say stand one below the other, their statuses aligned', () => {
  expect(render(target('db'), target('analytics', { provider: 'file' }), target('edge'))).toEqual([
    'db         aws-security-group  in sync',
    'analytics  file                in sync',
    'edge       aws-security-group  in sync',
  ]);
});

test('a target with something to say has air around it', () => {
  const warnings = [{ code: 'note' as const, detail: 'look' }];
  expect(render(target('a'), target('b', { warnings }), target('c'))).toEqual([
    'a  aws-security-group  in sync',
    '',
    'b  aws-security-group  in sync',
    '  warning  note: look',
    '',
    'c  aws-security-group  in sync',
  ]);
});

test('an address on several services is one line', () => {
  const changes = [
    change({}),
    change({ ports: '6432-6439' }),
    change({ protocol: 'udp', ports: '53' }),
    change({ action: 'remove', cidr: '35.1.2.3/32', applied: false }),
  ];
  expect(render(target('db', { status: 'changed', changes }))).toEqual([
    'db  aws-security-group  changed',
    '  + 34.19.100.1/32  tcp 5432, 6432-6439 and udp 53  the published list changed',
    '  - 35.1.2.3/32     tcp 5432                        the published list changed; connections that are open stay open (not done)',
  ]);
});

test('many addresses with one reason are one block, and none of them is left out', () => {
  const cidrs = Array.from({ length: 23 }, (_, index) => `34.19.100.${index}/32`);
  const changes = cidrs.map((cidr) => change({ cidr, cause: 'new-target' }));
  const [, head, ...rows] = render(target('db', { status: 'changed', changes }));
  expect(head).toBe('  23 addresses, tcp 5432: new on this target');
  expect(rows.every((row) => row.startsWith('  + '))).toBe(true);
  expect(rows.flatMap((row) => row.slice(4).split(/ +/))).toEqual(cidrs);
});

test('a plain list of addresses has no column for services', () => {
  const plain = { protocol: null, ports: null };
  expect(render(target('edge', { status: 'changed', changes: [change(plain)] }))[1]).toBe(
    '  + 34.19.100.1/32  the published list changed',
  );
});

test('a pending removal says how long it waits', () => {
  const pending = (ports: string, removeAfter: string) => ({
    cidr: '35.1.2.3/32',
    protocol: 'tcp',
    ports,
    removeAfter,
  });
  const pendingRemovals = [
    pending('5432', '2026-03-02T11:45:00.000Z'),
    pending('6432', '2026-03-02T11:45:00.000Z'),
    pending('53', '2026-03-01T12:00:00.000Z'),
  ];
  expect(render(target('db', { pendingRemovals })).slice(1)).toEqual([
    '  … 35.1.2.3/32  tcp 5432, 6432  no longer published; goes in 23 h 45 min (2026-03-02 11:45 UTC)',
    '  … 35.1.2.3/32  tcp 53  no longer published; goes at the next run',
  ]);
});

test('drift that the line of a change tells is not told again; what only it tells is', () => {
  const lines = render(
    target('db', {
      status: 'would-change',
      changes: [
        change({ cause: 'removed-by-hand' }),
        {
          action: 'update',
          field: 'priority',
          from: '900',
          to: '1000',
          cause: 'edited-by-hand',
          applied: true,
        },
      ],
      drift: [
        { cause: 'removed-by-hand', cidr: '34.19.100.1/32', detail: '34.19.100.1/32 tcp 5432 is gone' },
        { cause: 'edited-by-hand', cidr: null, detail: 'priority of allow is 900, not 1000' },
        { cause: 'edited-by-hand', cidr: null, detail: 'disabled of allow is true, not false' },
        { cause: 'foreign', cidr: '35.1.2.3/32', detail: '35.1.2.3/32 tcp 5432 is not ours' },
      ],
    }),
  );
  expect(lines.slice(1)).toEqual([
    '  + 34.19.100.1/32  tcp 5432  removed by hand',
    '  ~ priority: 900 -> 1000  edited by hand',
    '  drift  edited-by-hand: disabled of allow is true, not false',
    '  drift  foreign: 35.1.2.3/32 tcp 5432 is not ours',
  ]);
});

test('a failure of the one source is told once', () => {
  const error = {
    code: 'source-malformed' as const,
    message: 'url (http://127.0.0.1/x): no list',
    hint: 'Look.',
  };
  const base = emptyReport({ command: 'sync', dryRun: false, runId: 'r', now: NOW, exitCode: 1, error });
  const nothing = { httpStatus: 200, bytes: 9, sha256: null, etag: null, lastModified: null, position: null };
  const source = {
    ...nothing,
    type: 'url',
    status: 'malformed' as const,
    url: 'http://127.0.0.1/x',
    count: 0,
  };
  const report: Report = {
    ...base,
    egress: { ...base.egress, sources: [{ ...source, duplicates: [], hostBits: [], error }] },
  };
  expect(renderReport(report, styleFor(false))).toEqual([
    'egress  no list yet',
    '  url  malformed  http://127.0.0.1/x',
    '    no list',
    '    Look.',
    '',
    'no targets (0 API calls, 0 ms, exit code 1)',
  ]);
});
