import { stripVTControlCharacters } from 'node:util';
import { plural, type Style, styleFor } from '../render/style.ts';
import { renderReport } from '../render/text.ts';
import type { Claim, Step } from './scenario.ts';
import type { Seen, SeenAlert } from './seen.ts';

/** What the demo writes on. */
export interface Page {
  readonly style: Style;
  /** Characters of a line of the demo's own words. */
  readonly width: number;
  /** Characters of the longest line that is shown as one; longer ones of the tool are folded. */
  readonly columns: number;
}

/** @param columns characters that fit a line; undefined where nobody knows, and nothing is folded */
export function pageOf(colour: boolean, columns: number | undefined): Page {
  return {
    style: styleFor(colour),
    width: Math.max(40, Math.min(96, (columns ?? 97) - 1)),
    columns: Math.max(40, columns ?? Number.POSITIVE_INFINITY),
  };
}

/** Lines of one alert that the demo shows; the receiver gets them all. */
const MOST_LINES = 4;

/** What the demo says before its first step. */
export function introduce(steps: readonly Step[], { style, width }: Page): string[] {
  return [
    '',
    style.bold('allowlist-sync demo'),
    ...wrap(
      `${plural(steps.length, 'step')} of the real tool, with its real adapters and the vendors' own SDKs, on an EC2, a ` +
        'Compute Engine and a documentation page that this process serves on 127.0.0.1. No account, no network, and ' +
        'nothing is left behind. Between the runs the demo moves the clock that the tool reads, and says so.',
      width,
    ),
  ];
}

/** The head of a step, before anything of it happens. */
export function announce(step: Step, index: number, { style, width }: Page): string[] {
  const { run } = step;
  const flags = run.command === 'sync' && run.dryRun ? ' --dry-run' : '';
  const title = ` ${index + 1}  ${step.title} `;
  return [
    '',
    style.cyan(`──${style.bold(title)}${'─'.repeat(Math.max(0, width - title.length - 2))}`),
    ...wrap(step.story, width),
    ...(step.later === undefined ? [] : [style.dim(`(the clock is moved ${moved(step.later)} ahead)`)]),
    '',
    `${style.bold(`$ allowlist-sync ${run.command}${flags}`)}`,
  ];
}

/** The tool's own output, as it prints it. */
export function showOutput({ report, stage }: Seen, { style, columns }: Page): string[] {
  const gutter = style.dim('│');
  return renderReport(report, style)
    .map((line) => stage.redact(line))
    .flatMap((line) => fold(line, columns - 2))
    .map((line) => `${gutter} ${line}`.trimEnd());
}

/** The alerts as their receiver got them, the longest lists cut short. */
export function showAlerts({ alerts, stage }: Seen, page: Page): string[] {
  if (alerts.length === 0) return [];
  return [
    '',
    page.style.bold(`what the webhook received: ${plural(alerts.length, 'alert')}`),
    ...alerts.flatMap((alert) => showAlert(alert, page)).map((line) => stage.redact(line)),
  ];
}

function showAlert({ type, severity, title, lines, action }: SeenAlert, { style, width }: Page): string[] {
  const paint = { error: style.red, warning: style.yellow, info: style.cyan }[severity];
  // What was applied stands in the output above.
  const told = type === 'target.applied' ? [] : lines;
  const shown = told.length > MOST_LINES ? told.slice(0, MOST_LINES - 1) : told;
  const cut = told.length - shown.length;
  const quiet = action.startsWith('Nothing to do');
  return [
    `${paint('▪')} ${style.bold(title)}  ${style.dim(type)}`,
    ...shown.flatMap((line) => wrap(line, width - 2).map((part) => `  ${part}`)),
    ...(cut > 0 ? [style.dim(`  and ${cut} more lines`)] : []),
    ...(quiet ? [] : wrap(`→ ${action}`, width - 2).map((part) => `  ${part}`)),
  ];
}

/** What was checked, up to the first that is not so. */
export function confirm(claims: readonly Claim[], { style }: Page): string[] {
  const broken = claims.findIndex(([, holds]) => !holds);
  const looked = broken === -1 ? claims : claims.slice(0, broken + 1);
  return ['', ...looked.map(([claim, holds]) => `${holds ? style.green('✓') : style.red('✗')} ${claim}`)];
}

/** The end, when every step went as told. */
export function conclude(count: number, ms: number, { style, width }: Page): string[] {
  return [
    '',
    style.cyan('─'.repeat(width)),
    `${style.green('✓')} ${style.bold(`all ${count} steps went as told`)}, in ${(ms / 1000).toFixed(1)} s. ` +
      'The clouds and their folder are gone.',
    '',
    'Next:',
    `  allowlist-sync demo --serve    ${style.dim('keeps such clouds running to play with')}`,
    `  config.example.json            ${style.dim('the config to start from')}`,
  ];
}

const EXIT_CODES = ['done', 'something failed', 'drift', 'held'] as const;

export function exitCodeText(code: number): string {
  return `exit code ${code}: ${EXIT_CODES[code] ?? 'unknown'}`;
}

function moved(ms: number): string {
  const hours = ms / 3_600_000;
  return hours >= 1 ? plural(hours, 'hour') : plural(ms / 60_000, 'minute');
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && lengthOf(line) + 1 + lengthOf(word) <= width)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** A line that is too long, continued below and further in. */
function fold(line: string, width: number): string[] {
  if (lengthOf(line) <= width) return [line];
  const [indent = ''] = /^ */.exec(stripVTControlCharacters(line)) ?? [];
  const [first = '', ...rest] = wrap(line.slice(indent.length), width - indent.length - 4);
  return [indent + first, ...rest.map((part) => `${indent}    ${part}`)];
}

/** As it is seen: colours take no room. */
function lengthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}
