import { isOurs } from '../providers/provider.ts';
import type { Facts } from './alerts/conditions.ts';
import type { Cidr } from './cidr.ts';
import { intervalMs } from './daemon/cron.ts';
import { contestedKeys, type Drift } from './drift.ts';
import { formatDuration } from './duration.ts';
import { type ErrorInfo, hintFor } from './errors.ts';
import { type Ranges, some } from './guards/list.ts';
import { type Outcome, releasedBy, reportEgress, reportTarget } from './outcome.ts';
import type { Pass } from './pass.ts';
import { exitCodeOf, type Report } from './report.ts';
import type { Rulings } from './rule.ts';
import type { Agreement } from './sources/agree.ts';
import type { SourceReading } from './sources/read.ts';
import type { State } from './state/state.ts';
import type { Recalled } from './state/store.ts';
import type { FinishedTarget, PlannedTarget, UnreadTarget } from './targets.ts';
import type { Warning } from './warnings.ts';

/** Everything that one pass saw and did. */
export interface Happened {
  readonly recalled: Recalled;
  readonly readings: readonly SourceReading[];
  readonly agreement: Agreement;
  readonly ranges: Ranges;
  readonly rulings: Rulings;
  readonly planned: readonly (PlannedTarget | UnreadTarget)[];
  readonly finished: readonly FinishedTarget[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The report of a pass, but for its alerts. */
export function reportPass(pass: Pass, happened: Happened): Omit<Report, 'alerts'> {
  const { rulings, readings, finished, now } = happened;
  const report = {
    version: 1 as const,
    runId: pass.runId,
    command: pass.command,
    dryRun: pass.dryRun,
    startedAt: new Date(now).toISOString(),
    durationMs: Math.round(pass.world.clock.now() - now),
    egress: reportEgress(rulings.strict, readings),
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
function errorOf({ agreement, rulings: { strict: ruling } }: Happened): ErrorInfo | null {
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

function approvalsUsed(pass: Pass, { rulings, planned }: Happened): Report['approvals'] {
  const released = releasedBy(pass.approvals, rulings.strict, planned);
  return [...pass.approvals].map((id) => ({ id, used: released.includes(id) }));
}

/** What the alerts are decided from. */
export function factsOf(
  pass: Pass,
  happened: Happened,
  report: Omit<Report, 'alerts'>,
  remembered: State,
): Facts {
  const { finished, ranges, agreement, rulings, now } = happened;
  const targets = Object.entries(remembered.targets);
  return {
    report,
    configPath: pass.config.path,
    drift: new Map(finished.map(({ target, outcome }) => [target.name, driftOf(outcome)])),
    contested: new Map(targets.map(([name, memory]) => [name, contestedKeys(memory, now)])),
    listChange: remembered.untold,
    notes: rulings.strict.notes,
    blind: ranges.kind === 'unavailable' ? ranges.detail : null,
    disagreement:
      agreement.kind === 'disagreement'
        ? agreement.differences.map(({ source, only, missing, lastModified, etag }) => {
            const age = lastModified ?? (etag === null ? 'age unknown' : `ETag ${etag}`);
            return `${source} (${age}): ${listed(only)} only here, ${listed(missing)} missing here`;
          })
        : null,
    stale: staleOf(pass, happened, report),
  };
}

function driftOf(outcome: Outcome): readonly Drift[] {
  if (outcome.kind === 'planned') return outcome.plan.drift;
  return outcome.kind === 'unread' ? (outcome.drift ?? []) : [];
}

function listed(cidrs: readonly Cidr[]): string {
  return cidrs.length === 0 ? 'nothing' : `${cidrs.length} (${some(cidrs)})`;
}

function staleOf(
  pass: Pass,
  { recalled, rulings, now }: Happened,
  report: Omit<Report, 'alerts'>,
): string | null {
  const { schedule, safety } = pass.config;
  const { lastAgreedAt, lastSuccessAt } = recalled.state;
  const failing = [
    ...(rulings.strict.complete ? [] : [{ what: 'fetching an agreed list', at: lastAgreedAt }]),
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
