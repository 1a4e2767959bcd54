import type { EgressReport, Report, SourceReport, TargetReport } from '../report.ts';
import { renderChanges, renderPending } from './changes.ts';
import { columns, plural, type Style, spread } from './style.ts';

/** The report for people: what is published, a diff for each target with the reason of each line, a summary. */
export function renderReport(report: Report, style: Style): string[] {
  return [
    ...renderEgress(report.egress, style),
    ...renderTargets(report, style),
    ...renderAlerts(report, style),
    '',
    ...renderSummary(report, style),
  ];
}

/** The published list: the sources, and what is new, held or refused. */
export function renderEgress(egress: EgressReport, style: Style): string[] {
  const { cidrs, candidate, listId, added, removed, held, refused } = egress;
  const inForce = cidrs === null ? 'no list yet' : plural(cidrs.length, 'address', 'addresses');
  const what = candidate ? `${inForce} in force` : `${inForce}${listId && cidrs ? `, ${listId}` : ''}`;
  const lines = [`${style.bold('egress')}  ${what}`];
  const rows = columns(
    egress.sources.map((source) => ['', source.type, source.status, sourceDetail(source)]),
  );
  egress.sources.forEach((source, index) => {
    const [indent = '', type = '', status = '', detail = ''] = rows[index] ?? [];
    lines.push(
      `${indent}${type}${source.status === 'ok' ? style.green(status) : style.red(status)}${detail}`,
    );
    if (source.error)
      lines.push(`    ${withoutPlace(source.error.message, source)}`, `    ${style.dim(source.error.hint)}`);
    if (source.duplicates.length > 0)
      lines.push(`    ${style.yellow(`listed twice: ${source.duplicates.join(', ')}`)}`);
    if (source.hostBits.length > 0)
      lines.push(`    ${style.yellow(`with host bits: ${source.hostBits.join(', ')}`)}`);
  });
  if (candidate) lines.push(`  ${style.yellow(`newer list of ${candidate.length}, ${listId}`)}`);
  lines.push(...spread(added).map((row) => `  ${style.green(`+ ${row}`)}`));
  lines.push(...spread(removed).map((row) => `  ${style.red(`- ${row}`)}`));
  for (const { guard, detail } of refused) lines.push(`  ${style.red('refused')}  ${guard}: ${detail}`);
  for (const { guard, detail, id } of held) lines.push(...heldLines(guard, detail, id, style));
  return lines;
}

function sourceDetail({ status, count, url }: SourceReport): string {
  return status === 'ok' ? `${plural(count, 'address', 'addresses')}  ${url}` : url;
}

/** The message alone: type and URL stand on the line above. */
function withoutPlace(message: string, { type, url }: SourceReport): string {
  const place = `${type} (${url}): `;
  return message.startsWith(place) ? message.slice(place.length) : message;
}

function heldLines(guard: string, detail: string, id: string, style: Style): string[] {
  return [
    `  ${style.yellow('held')}  ${guard}: ${detail}`,
    `        ${style.dim(`to release exactly this: allowlist-sync sync --approve ${id}`)}`,
  ];
}

const STATUS: Readonly<Record<TargetReport['status'], (style: Style) => string>> = {
  'in-sync': (style) => style.green('in sync'),
  'would-change': (style) => style.yellow('would change'),
  changed: (style) => style.cyan('changed'),
  held: (style) => style.yellow('held'),
  failed: (style) => style.red('failed'),
  skipped: (style) => style.yellow('skipped'),
};

/** One line for each target, and under it what there is to say of it; air only where something is said. */
function renderTargets(report: Report, style: Style): string[] {
  const { targets } = report;
  const heads = columns(targets.map(({ name, provider }) => [name, provider, '']));
  const bodies = targets.map((target) => renderTarget(target, report, style));
  return targets.flatMap(({ status }, index) => {
    const [name = '', provider = ''] = heads[index] ?? [];
    const body = bodies[index] ?? [];
    const air = index === 0 || body.length > 0 || (bodies[index - 1]?.length ?? 0) > 0;
    const head = `${style.bold(name)}${style.dim(provider)}${STATUS[status](style)}`;
    return [...(air ? [''] : []), head, ...body];
  });
}

/** Every line of what is to be done on a target, was done, waits or needs a look. */
function renderTarget(
  { status, changes, pendingRemovals, drift, held, warnings, error }: TargetReport,
  report: Pick<Report, 'dryRun' | 'startedAt'>,
  style: Style,
): string[] {
  const lines: string[] = [];
  if (error) lines.push(`  ${style.red('error')}  ${error.message}`, `         ${style.dim(error.hint)}`);
  if (status === 'skipped') lines.push(`  ${style.dim('there is no list to work from yet')}`);
  lines.push(...renderChanges(changes, report, style), ...renderPending(pendingRemovals, report, style));
  for (const one of drift) {
    const paint = one.cause === 'contested' ? style.red : style.magenta;
    if (!isTold(one, changes)) lines.push(`  ${paint('drift')}  ${one.cause}: ${one.detail}`);
  }
  for (const { guard, detail, id } of held) lines.push(...heldLines(guard, detail, id, style));
  for (const { code, detail } of warnings) lines.push(`  ${style.yellow('warning')}  ${code}: ${detail}`);
  return lines;
}

/** Whether the line of a change says all of it. */
function isTold(
  { cause, cidr, detail }: TargetReport['drift'][number],
  changes: TargetReport['changes'],
): boolean {
  if (cidr === null) return changes.some(({ field }) => field && detail.startsWith(`${field} of `));
  if (cause === 'contested' || cause === 'edited-by-hand') return false;
  return changes.some((change) => change.cidr === cidr && change.cause === cause);
}

function renderAlerts({ alerts }: Report, style: Style): string[] {
  if (alerts.length === 0) return [];
  const failed = alerts.filter(({ delivered }) => !delivered);
  const counts = new Map<string, number>();
  for (const { type } of alerts) counts.set(type, (counts.get(type) ?? 0) + 1);
  const names = [...counts].map(([type, count]) => (count > 1 ? `${type} (${count})` : type)).join(', ');
  const lines = ['', `${style.bold('alerts')}  ${names}`];
  if (failed.length > 0)
    lines.push(
      `  ${style.red('not delivered')}  ${failed.map(({ type }) => type).join(', ')}; tried again at the next run`,
    );
  return lines;
}

/** Counts and the exit code, in one line; what the run itself failed of, before it. */
function renderSummary(report: Report, style: Style): string[] {
  const { targets, dryRun, command, durationMs, exitCode, error, approvals } = report;
  const count = (status: TargetReport['status']) => targets.filter((one) => one.status === status).length;
  const parts = (['changed', 'would-change', 'in-sync', 'held', 'failed', 'skipped'] as const).flatMap(
    (status) => (count(status) > 0 ? [`${count(status)} ${status.replace('-', ' ')}`] : []),
  );
  const calls = targets.reduce((sum, { apiCalls }) => sum + apiCalls, 0);
  const lines: string[] = [];
  // What a source said for itself stands with the source.
  const said = report.egress.sources.some((source) => source.error?.message === error?.message);
  if (error && !said)
    lines.push(`${style.red('error')}  ${error.message}`, `       ${style.dim(error.hint)}`);
  for (const { id, used } of approvals)
    if (!used)
      lines.push(
        `${style.yellow('approval')}  ${id} released nothing: no list or plan with this id is held now`,
      );
  const nothing = dryRun && command === 'sync' ? 'dry run, nothing was written: ' : '';
  lines.push(
    `${nothing}${parts.join(', ') || 'no targets'} ${style.dim(`(${plural(calls, 'API call')}, ${durationMs} ms, exit code ${exitCode})`)}`,
  );
  return lines;
}
