import type { ChangeReport, EgressReport, Report, SourceReport, TargetReport } from '../report.ts';
import { columns, plural, type Style } from './style.ts';

/** Why a change is made, in the words of the line it stands on. */
const WHY: Readonly<Record<string, string>> = {
  'new-target': 'not there yet',
  'source-changed': 'the published list changed',
  'config-changed': 'the config changed',
  'removed-by-hand': 'somebody removed it',
  'added-by-hand': 'somebody added it',
  'edited-by-hand': 'somebody edited it',
  contested: 'something keeps taking it away',
};

/** The report for people: what is published, a diff for each target with the reason of each line, a summary. */
export function renderReport(report: Report, style: Style): string[] {
  return [
    ...renderEgress(report.egress, style),
    ...report.targets.flatMap((target) => ['', ...renderTarget(target, report, style)]),
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
    if (source.error) lines.push(`    ${style.dim(source.error.hint)}`);
    if (source.duplicates.length > 0)
      lines.push(`    ${style.yellow(`listed twice: ${source.duplicates.join(', ')}`)}`);
    if (source.hostBits.length > 0)
      lines.push(`    ${style.yellow(`with host bits: ${source.hostBits.join(', ')}`)}`);
  });
  if (candidate) lines.push(`  ${style.yellow(`newer list of ${candidate.length}, ${listId}`)}`);
  if (added.length > 0) lines.push(`  ${style.green('+')} ${added.join(', ')}`);
  if (removed.length > 0) lines.push(`  ${style.red('-')} ${removed.join(', ')}`);
  for (const { guard, detail } of refused) lines.push(`  ${style.red('refused')}  ${guard}: ${detail}`);
  for (const { guard, detail, id } of held) lines.push(...heldLines(guard, detail, id, style));
  return lines;
}

function sourceDetail({ status, count, url, error }: SourceReport): string {
  return status === 'ok' ? `${plural(count, 'address', 'addresses')}  ${url}` : (error?.message ?? url);
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

/** One target: its status, and every line of what is to be done, was done, waits or needs a look. */
export function renderTarget(target: TargetReport, report: Pick<Report, 'dryRun'>, style: Style): string[] {
  const { name, provider, status, changes, pendingRemovals, drift, held, warnings, error } = target;
  const lines = [`${style.bold(name)}  ${style.dim(provider)}  ${STATUS[status](style)}`];
  if (error) lines.push(`  ${style.red('error')}  ${error.message}`, `         ${style.dim(error.hint)}`);
  if (status === 'skipped') lines.push(`  ${style.dim('there is no list to work from yet')}`);
  lines.push(...renderChanges(changes, report, style));
  for (const { cidr, protocol, ports, removeAfter } of pendingRemovals) {
    const what = [cidr, protocol, ports].filter(Boolean).join(' ');
    lines.push(`  ${style.dim('…')} ${what}  no longer published; goes after ${removeAfter}`);
  }
  const changing = new Set(changes.flatMap(({ cidr, cause }) => (cidr ? [`${cidr} ${cause}`] : [])));
  for (const { cause, cidr, detail } of drift) {
    const told = cidr !== null && changing.has(`${cidr} ${cause}`) && !cause.endsWith('by-hand');
    if (!told && cause !== 'contested') lines.push(`  ${style.magenta('drift')}  ${cause}: ${detail}`);
    if (cause === 'contested') lines.push(`  ${style.red('drift')}  ${cause}: ${detail}`);
  }
  for (const { guard, detail, id } of held) lines.push(...heldLines(guard, detail, id, style));
  for (const { code, detail } of warnings) lines.push(`  ${style.yellow('warning')}  ${code}: ${detail}`);
  return lines;
}

function renderChanges(
  changes: readonly ChangeReport[],
  { dryRun }: { dryRun: boolean },
  style: Style,
): string[] {
  const rows = columns(
    changes.map((change) => {
      const why = WHY[change.cause] ?? change.cause;
      if (change.action === 'update') {
        const where = change.cidr ? `${change.cidr} ${change.field}` : (change.field ?? '');
        return [
          '~',
          `${where}: ${change.from || 'unset'} -> ${change.to || 'unset'}`,
          '',
          why + left(change, dryRun),
        ];
      }
      const service = [change.protocol, change.ports].filter(Boolean).join(' ');
      const note = change.action === 'remove' ? '; connections that are open stay open' : '';
      return [
        change.action === 'add' ? '+' : '-',
        change.cidr ?? '',
        service,
        why + note + left(change, dryRun),
      ];
    }),
  );
  const paint = { add: style.green, remove: style.red, update: style.cyan };
  return rows.map(([sign = '', what = '', service = '', why = ''], index) => {
    const colour = paint[changes[index]?.action ?? 'update'];
    return `  ${colour(`${sign.trimEnd()} ${what}${service}`)}${style.dim(why)}`;
  });
}

function left({ applied }: ChangeReport, dryRun: boolean): string {
  return applied || dryRun ? '' : ' (not done)';
}

function renderAlerts({ alerts }: Report, style: Style): string[] {
  if (alerts.length === 0) return [];
  const failed = alerts.filter(({ delivered }) => !delivered);
  const names = alerts.map(({ type }) => type).join(', ');
  const lines = ['', `${style.bold('alerts')}  ${names}`];
  if (failed.length > 0)
    lines.push(
      `  ${style.red('not delivered')}  ${failed.map(({ type }) => type).join(', ')}; tried again at the next run`,
    );
  return lines;
}

/** Counts and the exit code, in one line; what the run itself failed of, before it. */
export function renderSummary(report: Report, style: Style): string[] {
  const { targets, dryRun, command, durationMs, exitCode, error, approvals } = report;
  const count = (status: TargetReport['status']) => targets.filter((one) => one.status === status).length;
  const parts = (['changed', 'would-change', 'in-sync', 'held', 'failed', 'skipped'] as const).flatMap(
    (status) => (count(status) > 0 ? [`${count(status)} ${status.replace('-', ' ')}`] : []),
  );
  const calls = targets.reduce((sum, { apiCalls }) => sum + apiCalls, 0);
  const lines: string[] = [];
  if (error) lines.push(`${style.red('error')}  ${error.message}`, `       ${style.dim(error.hint)}`);
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
