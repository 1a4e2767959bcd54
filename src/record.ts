import type { RemovalClocks } from './clocks.ts';
import type { Ruling } from './guards/ruling.ts';
import type { Pass } from './pass.ts';
import type { Report } from './report.ts';
import type { JournalRecord } from './state/records.ts';
import { rememberList, rememberTarget } from './state/remember.ts';
import type { HeldItem, State, TargetMemory } from './state/state.ts';
import { type FinishedTarget, memoryOf } from './targets.ts';

export interface ToRecord {
  readonly ruling: Ruling;
  readonly clocks: RemovalClocks;
  readonly finished: readonly FinishedTarget[];
  readonly report: Omit<Report, 'alerts'>;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What is remembered after a pass. Targets that the pass did not look at keep what was known of them. */
export function nextState(
  state: State,
  pass: Pass,
  { ruling, clocks, finished, report, now }: ToRecord,
): State {
  const known = new Set(pass.config.targets.map(({ name }) => name));
  const targets: Record<string, TargetMemory> = Object.fromEntries(
    Object.entries(state.targets).filter(([name]) => known.has(name)),
  );
  for (const { target, outcome } of finished) {
    if (outcome.kind === 'planned' && outcome.applied)
      targets[target.name] = rememberTarget(target, outcome.applied, memoryOf(state, target), now);
  }
  return {
    ...state,
    ...rememberList(state, ruling, now),
    clocks: [...clocks].map(([cidr, clock]) => ({ cidr, ...clock })),
    targets,
    held: heldNow(state.held, report, pass, now),
    lastSuccessAt: report.exitCode === 1 ? state.lastSuccessAt : now,
  };
}

/** What waits for approval, with the time since when; what was not looked at in this pass goes on waiting. */
function heldNow(
  before: readonly HeldItem[],
  report: ToRecord['report'],
  pass: Pass,
  now: number,
): HeldItem[] {
  const since = ({ id, guard, target }: Omit<HeldItem, 'since'>) =>
    before.find((one) => one.id === id && one.guard === guard && one.target === target)?.since ?? now;
  const seen = new Set(report.targets.map(({ name }) => name));
  const items: Omit<HeldItem, 'since'>[] = [
    ...report.egress.held.map(({ id, guard, detail }) => ({
      id,
      kind: 'list' as const,
      target: null,
      guard,
      detail,
    })),
    ...report.targets.flatMap(({ name, held }) =>
      held.map(({ id, guard, detail }) => ({ id, kind: 'plan' as const, target: name, guard, detail })),
    ),
  ];
  const others = before.filter(
    ({ target }) =>
      target !== null && !seen.has(target) && pass.config.targets.some(({ name }) => name === target),
  );
  return [...items.map((item) => ({ ...item, since: since(item) })), ...others];
}

/** The lines of the journal for what a pass saw and did; none for a quiet one. */
export function journalOf(state: State, pass: Pass, { ruling, report, now }: ToRecord): JournalRecord[] {
  const common = { at: new Date(now).toISOString(), runId: report.runId };
  const { egress } = report;
  const reasons = ruling.findings.map(({ guard, detail }) => ({ guard, detail }));
  const records: JournalRecord[] = [];
  for (const { id, used } of report.approvals) {
    if (used) records.push({ ...common, type: 'approved', id, user: pass.world.user, host: pass.world.host });
  }
  if (ruling.verdict === 'accepted' && ruling.listId && ruling.listId !== state.accepted?.listId)
    records.push({
      ...common,
      type: 'list-accepted',
      listId: ruling.listId,
      cidrs: [...(ruling.candidate ?? [])],
      added: [...ruling.added],
      removed: [...ruling.removed],
      evidence: egress.sources.map(({ error: _, ...evidence }) => evidence),
    });
  if (ruling.verdict === 'refused')
    records.push({ ...common, type: 'list-refused', listId: ruling.listId, reasons });
  if (ruling.verdict === 'held' && ruling.listId) {
    const { listId, added, removed } = ruling;
    records.push({ ...common, type: 'list-held', listId, added: [...added], removed: [...removed], reasons });
  }
  for (const { name, planId, changes, error } of report.targets) {
    const applied = changes.filter((change) => change.applied);
    if (applied.length > 0)
      records.push({ ...common, type: 'target-changed', target: name, planId, changes: applied });
    if (error)
      records.push({
        ...common,
        type: 'target-failed',
        target: name,
        error: { code: error.code, message: error.message },
      });
  }
  return records;
}

/** The line that ends every run, and what the channels were told. */
export function journalOfEnd(pass: Pass, report: Report): JournalRecord[] {
  const common = { at: new Date(pass.world.clock.now()).toISOString(), runId: report.runId };
  const { command, exitCode, durationMs, targets, error, egress, alerts } = report;
  return [
    ...alerts.map(({ type, severity, delivered }) => ({
      ...common,
      type: 'alert' as const,
      alert: type,
      severity,
      delivered,
    })),
    {
      ...common,
      type: 'run',
      command,
      exitCode,
      durationMs,
      targets: targets.map(({ name, status, changes }) => ({
        name,
        status,
        changes: changes.filter(({ applied }) => applied).length,
      })),
      error: error && { code: error.code, message: error.message },
      sources: egress.sources.map(({ type, status, count, sha256 }) => ({ type, status, count, sha256 })),
    },
  ];
}
