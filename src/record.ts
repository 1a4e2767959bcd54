import { type Cidr, sortCidrs } from './cidr.ts';
import type { RemovalClocks } from './clocks.ts';
import { without } from './guards/list.ts';
import type { Ruling } from './guards/ruling.ts';
import { releasedBy, reportSource } from './outcome.ts';
import type { Pass } from './pass.ts';
import type { Report } from './report.ts';
import type { Rulings } from './rule.ts';
import type { SourceReading } from './sources/read.ts';
import type { JournalRecord } from './state/records.ts';
import { rememberList, rememberTarget } from './state/remember.ts';
import type { HeldItem, State, TargetMemory } from './state/state.ts';
import type { Recalled } from './state/store.ts';
import {
  type FinishedTarget,
  type Found,
  memoryOf,
  type PlannedTarget,
  type UnreadTarget,
} from './targets.ts';

/** What a pass knows before it changes anything. */
interface Seen {
  readonly recalled: Recalled;
  readonly readings: readonly SourceReading[];
  readonly rulings: Rulings;
  readonly clocks: RemovalClocks;
  readonly found: readonly Found[];
  readonly owned: readonly Cidr[];
  readonly planned: readonly (PlannedTarget | UnreadTarget)[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * What is remembered of the list. What was decided, by the guards or by a person, is kept before it is carried out:
 * a pass that is killed on the way is finished by the next one, which needs no second approval for it.
 */
export async function decide(pass: Pass, seen: Seen): Promise<State> {
  const { rulings, clocks, now } = seen;
  const { state } = seen.recalled;
  const { strict } = rulings;
  const sure = knowsBaseline(pass, seen);
  const lists = sure
    ? { ...rememberList(state, strict, now), relaxed: relaxedLists(state, rulings, now) }
    : {};
  const decided: State = {
    ...state,
    ...lists,
    untold: sure ? untoldAfter(state, strict) : state.untold,
    clocks: [...clocks].map(([cidr, clock]) => ({ cidr, ...clock })),
    lastAgreedAt: strict.complete ? now : state.lastAgreedAt,
  };
  if (pass.dryRun) return state;
  const records = journalOfDecision(pass, seen);
  const changed = decided.accepted?.listId !== state.accepted?.listId;
  if (changed || records.length > 0) {
    await pass.store.save(decided);
    await pass.store.append(records);
  }
  return decided;
}

/**
 * Whether the list was measured against something. Without memory the targets are the baseline, and while one of them
 * has not been read, nothing found on the others is no proof that this is the first list ever.
 */
function knowsBaseline({ config }: Pass, { recalled, found, owned }: Seen): boolean {
  if (recalled.state.accepted !== null || owned.length > 0) return true;
  return found.length === config.targets.length && found.every((one) => 'snapshot' in one);
}

function relaxedLists(state: State, { strict, relaxed }: Rulings, now: number): State['relaxed'] {
  if (strict.verdict === 'accepted') return {};
  const lists = [...relaxed].map(([key, ruling]) => {
    const before = state.relaxed[key] ?? state.accepted;
    return [key, rememberList({ ...state, accepted: before }, ruling, now).accepted] as const;
  });
  return Object.fromEntries(lists.flatMap(([key, list]) => (list ? [[key, list]] : [])));
}

/** A change of the list is told at the end of a pass; until then it stays remembered, with what came before it. */
function untoldAfter({ untold }: State, { verdict, added, removed }: Ruling): State['untold'] {
  if (verdict !== 'accepted' || added.length + removed.length === 0) return untold;
  const { added: before = [], removed: gone = [] } = untold ?? {};
  return {
    added: sortCidrs([...without(before, removed), ...without(added, gone)]),
    removed: sortCidrs([...without(gone, added), ...without(removed, before)]),
  };
}

/** What is remembered after a pass. Targets that the pass did not look at keep what was known of them. */
export function nextState(
  decided: State,
  pass: Pass,
  { finished, report, now }: { finished: readonly FinishedTarget[]; report: Unalerted; now: number },
): State {
  const targets: Record<string, TargetMemory> = {};
  for (const target of pass.config.targets) {
    const before = memoryOf(decided, target);
    const outcome = finished.find((one) => one.target === target)?.outcome;
    const applied = outcome?.kind === 'planned' ? outcome.applied : undefined;
    const after = applied ? rememberTarget(target, applied, before, now) : before;
    if (after) targets[target.name] = after;
  }
  return {
    ...decided,
    targets,
    held: heldNow(decided.held, report, pass, now),
    lastSuccessAt: report.exitCode === 1 ? decided.lastSuccessAt : now,
  };
}

type Unalerted = Omit<Report, 'alerts'>;

/** What waits for approval, with the time since when; what was not looked at in this pass goes on waiting. */
function heldNow(before: readonly HeldItem[], report: Unalerted, pass: Pass, now: number): HeldItem[] {
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

/** The lines of the journal for what was decided; none where nothing is new. */
function journalOfDecision(
  pass: Pass,
  { recalled: { state }, rulings: { strict: ruling }, readings, planned, now }: Seen,
): JournalRecord[] {
  const common = { at: new Date(now).toISOString(), runId: pass.runId };
  const { listId, verdict, added, removed } = ruling;
  const reasons = ruling.findings.map(({ guard, detail }) => ({ guard, detail }));
  const changes = { added: [...added], removed: [...removed] };
  const records: JournalRecord[] = [];
  for (const id of releasedBy(pass.approvals, ruling, planned))
    records.push({ ...common, type: 'approved', id, user: pass.world.user, host: pass.world.host });
  if (verdict === 'accepted' && listId && listId !== state.accepted?.listId)
    records.push({
      ...common,
      type: 'list-accepted',
      listId,
      cidrs: [...(ruling.candidate ?? [])],
      ...changes,
      evidence: readings.map(reportSource).map(({ error: _, ...evidence }) => evidence),
    });
  if (verdict === 'refused') records.push({ ...common, type: 'list-refused', listId, reasons });
  const told = state.held.some(({ id, kind }) => kind === 'list' && id === listId);
  if (verdict === 'held' && listId && !told)
    records.push({ ...common, type: 'list-held', listId, ...changes, reasons });
  return records;
}

/** The lines of the journal for what became of the targets; none for a quiet pass. */
export function journalOf(report: Unalerted, now: number): JournalRecord[] {
  const common = { at: new Date(now).toISOString(), runId: report.runId };
  return report.targets.flatMap(({ name, planId, changes, error }): JournalRecord[] => {
    const applied = changes.filter((change) => change.applied);
    return [
      ...(applied.length > 0
        ? [{ ...common, type: 'target-changed' as const, target: name, planId, changes: applied }]
        : []),
      ...(error
        ? [
            {
              ...common,
              type: 'target-failed' as const,
              target: name,
              error: { code: error.code, message: error.message },
            },
          ]
        : []),
    ];
  });
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
