import type { ChangeReport, EgressReport, Report, TargetReport } from '../report.ts';
import { plural } from './style.ts';

const MARK: Readonly<Record<TargetReport['status'], string>> = {
  'in-sync': '✅ in sync',
  'would-change': '📝 would change',
  changed: '✅ changed',
  held: '✋ held',
  failed: '❌ failed',
  skipped: '⏭️ skipped',
};

/** The report as GitHub-flavoured Markdown, for a pull request or a job summary. */
export function renderMarkdown(report: Report): string[] {
  const title = report.command === 'check' ? 'check' : report.dryRun ? 'sync (dry run)' : 'sync';
  return [
    `## allowlist-sync ${title}`,
    '',
    ...(report.error ? [`> ❌ **${text(report.error.message)}** ${text(report.error.hint)}`, ''] : []),
    ...renderEgressMarkdown(report.egress),
    '',
    '| target | provider | status | changes | drift | API calls |',
    '| --- | --- | --- | --- | --- | --- |',
    ...report.targets.map(
      ({ name, provider, status, changes, drift, apiCalls }) =>
        `| ${text(name)} | ${text(provider)} | ${MARK[status]} | ${changes.length} | ${drift.length} | ${apiCalls} |`,
    ),
    ...report.targets.flatMap(renderTargetMarkdown),
    '',
    `Exit code ${report.exitCode}, ${report.durationMs} ms, ${report.startedAt}, run ${report.runId}.`,
  ];
}

export function renderEgressMarkdown(egress: EgressReport): string[] {
  const { cidrs, listId, candidate, added, removed, held, refused } = egress;
  const lines = [
    `**Egress list:** ${cidrs === null ? 'none yet' : plural(cidrs.length, 'address', 'addresses')}`,
  ];
  if (candidate)
    lines.push(
      '',
      `A newer list of ${candidate.length} (\`${listId}\`) is ${refused.length > 0 ? 'refused' : 'held'}.`,
    );
  lines.push('', '| source | status | addresses | where |', '| --- | --- | --- | --- |');
  for (const { type, status, count, url, error } of egress.sources)
    lines.push(`| ${type} | ${status} | ${count} | ${text(error ? error.message : url)} |`);
  if (added.length + removed.length > 0)
    lines.push(
      '',
      '```diff',
      ...added.map((cidr) => `+ ${cidr}`),
      ...removed.map((cidr) => `- ${cidr}`),
      '```',
    );
  for (const { guard, detail } of refused) lines.push('', `> ❌ **refused** by ${guard}: ${text(detail)}`);
  for (const { guard, detail, id } of held) lines.push('', ...heldMarkdown(guard, detail, id));
  return lines;
}

function renderTargetMarkdown(target: TargetReport): string[] {
  const { name, changes, pendingRemovals, drift, held, warnings, error } = target;
  const lines: string[] = [];
  if (error) lines.push('', `> ❌ ${text(error.message)} ${text(error.hint)}`);
  if (changes.length > 0) lines.push('', '```diff', ...changes.map(changeLine), '```');
  const notes = [
    ...pendingRemovals.map(({ cidr, removeAfter }) => `pending: ${cidr} goes after ${removeAfter}`),
    ...drift.map(({ cause, detail }) => `drift, ${cause}: ${text(detail)}`),
    ...warnings.map(({ code, detail }) => `⚠️ ${code}: ${text(detail)}`),
  ];
  if (notes.length > 0) lines.push('', ...notes.map((note) => `- ${note}`));
  for (const { guard, detail, id } of held) lines.push('', ...heldMarkdown(guard, detail, id));
  return lines.length > 0 ? ['', `### ${text(name)}`, ...lines] : [];
}

function heldMarkdown(guard: string, detail: string, id: string): string[] {
  return [
    `> ✋ **held** by ${guard}: ${text(detail)}`,
    `> Release exactly this: \`allowlist-sync sync --approve ${id}\``,
  ];
}

function changeLine({ action, cidr, protocol, ports, field, from, to, cause }: ChangeReport): string {
  if (action === 'update')
    return `! ${[cidr, field].filter(Boolean).join(' ')}: ${from || 'unset'} -> ${to || 'unset'}  # ${cause}`;
  return `${action === 'add' ? '+' : '-'} ${[cidr, protocol, ports].filter(Boolean).join(' ')}  # ${cause}`;
}

/** Text from elsewhere, in one cell of a table: it can neither end the cell nor start any markup. */
function text(value: string): string {
  return value.replace(/\s+/g, ' ').replace(/[\\`*_{}[\]<>|#]/g, '\\$&');
}
