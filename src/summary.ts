import { isOurs } from '../providers/provider.ts';
import type { Facts } from './alerts/conditions.ts';
import { intervalMs } from './daemon/cron.ts';
import { formatDuration } from './duration.ts';
import { type ErrorInfo, hintFor } from './errors.ts';
import { type Ranges, some } from './guards/list.ts';
import type { Ruling } from './guards/ruling.ts';
import { reportEgress, reportTarget } from './outcome.ts';
import type { Pass } from './pass.ts';
import { exitCodeOf, type Report } from './report.ts';
import type { Agreement } from './sources/agree.ts';
import type { SourceReading } from './sources/read.ts';
import type { Recalled } from './state/store.ts';
import type { FinishedTarget, PlannedTarget, UnreadTarget } from './targets.ts';
import type { Warning } from './warnings.ts';

/** Everything that one pass saw and did. */
export interface Happened {
  readonly recalled: Recalled;
  readonly readings: readonly SourceReading[];
  readonly agreement: Agreement;
  readonly ranges: Ranges;
  readonly ruling: Ruling;
  readonly planned: readonly (PlannedTarget | UnreadTarget)[];
  readonly finished: readonly FinishedTarget[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The report of a pass, but for its alerts. */
export function reportPass(pass: Pass, happened: Happened): Omit<Report, 'alerts'> {
  const { ruling, readings, finished, now } = happened;
  const report = {
    version: 1 as const,
    runId: pass.runId,
    command: pass.command,
    dryRun: pass.dryRun,
    startedAt: new Date(now).toISOString(),
    durationMs: Math.round(pass.world.clock.now() - now),
    egress: reportEgress(ruling, readings),
    targets: finished.map(({ target, outcome, io }) =>
      reportTarget(target, outcome, { apiCalls: io.calls, warnings: ownWarnings(happened, target) }),
    ),
    approvals: approvalsUsed(pass, happened),
    error: errorOf(happened),
  };
  return { ...report, exitCode: exitCodeOf({ ...report, alerts: [] }, { detailed: pass.detailedExitCode }) };
}

/** The whole report: a channel that failed ends the run with 1. */
export function withAlerts(pass: Pass, report: Omit<Report, 'alerts'>, alerts: Report['alerts']): Report {
  return {
    ...report,
    alerts,
    exitCode: exitCodeOf({ ...report, alerts }, { detailed: pass.detailedExitCode }),
  };
}

/** The pass itself failed, whatever became of the targets: no list that could be worked by. */
function errorOf({ agreement, ruling }: Happened): ErrorInfo | null {
  if (agreement.kind !== 'agreed') return agreement.error;
  if (ruling.verdict !== 'refused') return null;
  const refused = ruling.findings.filter(({ effect }) => effect === 'refuse');
  const message = refused.map(({ guard, detail }) => `${guard}: ${detail}`).join('; ');
  return {
    code: 'list-refused',
    message: `the egress list is refused: ${message}`,
    hint: hintFor('list-refused'),
  };
}

function ownWarnings({ recalled, planned }: Happened, target: FinishedTarget['target']): Warning[] {
  const off = [...target.guardsOff].map((guard) => ({
    code: 'guard-off' as const,
    detail: `the guard ${guard} is switched off for ${target.name} in the config`,
  }));
  const read = planned.find((one) => one.target === target && 'snapshot' in one);
  const owns =
    read &&
    'snapshot' in read &&
    read.snapshot.entries.some(({ marker }) => isOurs(marker, target.spec.identity));
  if (recalled.memory === 'there' || !owns) return off;
  const why = recalled.detail ?? 'there is no state of earlier runs';
  return [...off, { code: 'state-lost', detail: `${why}: removal delays start again` }];
}

function approvalsUsed(pass: Pass, { ruling, planned }: Happened): Report['approvals'] {
  const released = new Set(planned.flatMap((one) => ('plan' in one ? one.plan.released : [])));
  if (ruling.approved && ruling.listId) released.add(ruling.listId);
  return [...pass.approvals].map((id) => ({ id, used: released.has(id) }));
}

/** What the alerts are decided from. */
export function factsOf(pass: Pass, happened: Happened, report: Omit<Report, 'alerts'>): Facts {
  const { planned, ranges, agreement } = happened;
  return {
    report,
    configPath: pass.config.path,
    drift: new Map(planned.flatMap((one) => ('plan' in one ? [[one.target.name, one.plan.drift]] : []))),
    blind: ranges.kind === 'unavailable' ? ranges.detail : null,
    disagreement:
      agreement.kind === 'disagreement'
        ? agreement.differences.map(
            ({ source, only }) => `${source}: ${only.length} only here: ${some(only)}`,
          )
        : null,
    stale: staleOf(pass, happened, report),
  };
}

function staleOf(
  pass: Pass,
  { recalled, ruling, now }: Happened,
  report: Omit<Report, 'alerts'>,
): string | null {
  const { schedule, safety } = pass.config;
  const { lastAgreedAt, lastSuccessAt } = recalled.state;
  const failing = [
    ...(ruling.fresh ? [] : [{ what: 'fetching an agreed list', at: lastAgreedAt }]),
    ...(report.exitCode === 1 ? [{ what: 'a whole run', at: lastSuccessAt }] : []),
  ];
  if (failing.length === 0) return null;
  const limit = safety.staleAfter ?? 3 * intervalMs(schedule.cron, schedule.timezone);
  const lines = failing.flatMap(({ what, at }) =>
    at !== null && now - at > limit
      ? [`${what} last succeeded ${new Date(at).toISOString()}, more than ${formatDuration(limit)} ago`]
      : [],
  );
  return lines.length > 0 ? lines.join('; ') : null;
}
