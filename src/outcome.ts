import { formatMarker, markerOf } from '../providers/provider.ts';
import type { Applied } from './apply.ts';
import type { Drift } from './drift.ts';
import { type ErrorInfo, errorInfo } from './errors.ts';
import type { GuardedPlan } from './guards/plan.ts';
import type { Ruling } from './guards/ruling.ts';
import { type PlannedChange, type PlanTarget, planIdOf } from './plan.ts';
import type { ChangeReport, EgressReport, SourceReport, TargetReport } from './report.ts';
import type { SourceReading } from './sources/read.ts';
import { neutralise } from './text.ts';
import type { Warning } from './warnings.ts';

/** What became of one target in one pass. */
export type Outcome =
  /** No list to work from, so it was not even read. */
  | { readonly kind: 'skipped' }
  /** It could not be read, or may not be written. */
  | { readonly kind: 'unread'; readonly error: unknown; readonly drift?: readonly Drift[] }
  /** Read and planned; `applied` is absent where nothing may be written (a dry run, `check`). */
  | { readonly kind: 'planned'; readonly plan: GuardedPlan; readonly applied?: Applied };

/** One target's lines of the report. */
export function reportTarget(
  target: PlanTarget & { readonly providerName: string },
  outcome: Outcome,
  { apiCalls, warnings }: { apiCalls: number; warnings: readonly Warning[] },
): TargetReport {
  const common = { name: target.name, provider: target.providerName, apiCalls };
  if (outcome.kind !== 'planned') {
    const failed = outcome.kind === 'unread';
    return {
      ...common,
      status: failed ? 'failed' : 'skipped',
      planId: null,
      changes: [],
      drift: failed ? reportDrift(outcome.drift ?? []) : [],
      pendingRemovals: [],
      held: [],
      warnings: [...warnings],
      error: failed ? reportError(outcome.error) : null,
    };
  }
  const { applied } = outcome;
  const plan = applied?.plan ?? outcome.plan;
  const changes = mergeChanges(outcome.plan.changes, applied);
  const late = applied?.unproven ?? [];
  // What is held is approved in a later run, whose plan is what this one has left to do.
  const left = plan.changes.filter(({ key }) => !applied?.done.has(key));
  const leftId = plan.holds.length > 0 ? planIdOf(target, left) : outcome.plan.id;
  return {
    ...common,
    status: statusOf(outcome),
    planId: leftId,
    changes: changes.map((planned) => reportChange(planned, target, applied?.done.has(planned.key) ?? false)),
    drift: reportDrift(outcome.plan.drift),
    pendingRemovals: plan.pending.map(({ entry, removeAfter }) => ({
      cidr: entry.cidr,
      protocol: entry.protocol,
      ports: entry.ports,
      removeAfter: new Date(removeAfter).toISOString(),
    })),
    held: plan.holds.map(({ guard, detail, id }) => ({ guard, detail, id: id === plan.id ? leftId : id })),
    warnings: [
      ...warnings,
      ...plan.warnings.map(({ code, detail }) => ({ code, detail: line(detail) })),
      ...(late.length > 0
        ? [
            {
              code: 'unproven' as const,
              detail: `${late.length} written changes do not show yet; removals wait`,
            },
          ]
        : []),
    ],
    error: applied?.error === undefined ? null : reportError(applied.error),
  };
}

function reportDrift(drift: readonly Drift[]): TargetReport['drift'] {
  return drift.map(({ cause, cidr, detail }) => ({ cause, cidr, detail: line(detail) }));
}

function reportError(error: unknown): ErrorInfo {
  const info = errorInfo(error);
  return { ...info, message: line(info.message) };
}

/** Descriptions and messages of services are text that anybody may have written: one line, harmless to print. */
function line(text: string): string {
  return neutralise(text.replace(/\s+/g, ' '));
}

function statusOf(outcome: Extract<Outcome, { kind: 'planned' }>): TargetReport['status'] {
  const { applied } = outcome;
  const plan = applied?.plan ?? outcome.plan;
  if (applied?.error !== undefined) return 'failed';
  if (plan.holds.length > 0) return 'held';
  if (!applied) return plan.changes.length > 0 ? 'would-change' : 'in-sync';
  if (applied.done.size > 0 || applied.unproven.length > 0) return 'changed';
  return [...plan.blocked.values()].includes('mode') ? 'would-change' : 'in-sync';
}

function mergeChanges(planned: readonly PlannedChange[], applied: Applied | undefined): PlannedChange[] {
  const merged = new Map([...planned, ...(applied?.changes ?? [])].map((change) => [change.key, change]));
  return [...merged.values()];
}

function reportChange({ change, cause }: PlannedChange, target: PlanTarget, applied: boolean): ChangeReport {
  switch (change.action) {
    case 'add':
    case 'remove': {
      const { cidr, protocol, ports } = change.entry;
      return { action: change.action, cidr, protocol, ports, cause, applied };
    }
    case 'update': {
      const { field, actual, desired } = change.setting;
      return { action: 'update', field, from: line(actual), to: line(desired), cause, applied };
    }
    case 'mark': {
      const { cidr, protocol, ports, description } = change.entry;
      const to = formatMarker(markerOf(target.spec.identity));
      return {
        action: 'update',
        cidr,
        protocol,
        ports,
        field: 'description',
        from: line(description ?? ''),
        to,
        cause,
        applied,
      };
    }
  }
}

/** The approvals that let something through. */
export function releasedBy(
  approvals: ReadonlySet<string>,
  { approved, listId }: Pick<Ruling, 'approved' | 'listId'>,
  planned: readonly ({ readonly plan: GuardedPlan } | { readonly outcome: Outcome })[],
): string[] {
  const released = new Set(planned.flatMap((one) => ('plan' in one ? one.plan.released : [])));
  if (approved && listId) released.add(listId);
  return [...approvals].filter((id) => released.has(id));
}

export function reportEgress(ruling: Ruling, readings: readonly SourceReading[]): EgressReport {
  const open = ruling.verdict === 'held' || ruling.verdict === 'refused';
  return {
    listId: ruling.listId,
    cidrs: ruling.inForce === null ? null : [...ruling.inForce],
    candidate: open && ruling.candidate ? [...ruling.candidate] : null,
    added: [...ruling.added],
    removed: [...ruling.removed],
    held:
      ruling.verdict === 'held'
        ? ruling.findings.map(({ guard, detail }) => ({ guard, detail, id: ruling.listId ?? '' }))
        : [],
    refused: ruling.findings
      .filter(({ effect }) => effect === 'refuse')
      .map(({ guard, detail }) => ({ guard, detail })),
    sources: readings.map(reportSource),
  };
}

export function reportSource({ type, status, url, cidrs, evidence, error }: SourceReading): SourceReport {
  const { httpStatus, bytes, sha256, etag, lastModified, position, duplicates, hostBits } = evidence;
  return {
    type,
    status,
    url,
    count: cidrs.length,
    httpStatus,
    bytes,
    sha256,
    etag,
    lastModified,
    position,
    duplicates: [...duplicates],
    hostBits: [...hostBits],
    error,
  };
}
