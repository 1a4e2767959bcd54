import { CommanderError } from 'commander';
import type { Terminal } from './commands/context.ts';
import { type ErrorInfo, errorInfo, hintFor } from './errors.ts';
import { styleFor } from './render/style.ts';
import { redactor } from './text.ts';

export interface Failure {
  readonly out: string;
  readonly err: string;
  readonly exitCode: number;
}

/**
 * What a command that threw leaves behind: one or two lines on stderr, or with `--output json` a document on stdout.
 * Stacks are for `--log-level debug` only.
 */
export async function failure(error: unknown, argv: readonly string[], terminal: Terminal): Promise<Failure> {
  if (error instanceof CommanderError && error.exitCode === 0) return { out: '', err: '', exitCode: 0 };
  const info = describe(error);
  const exitCode = USAGE.has(info.code) ? 64 : 1;
  const debug = flagValue(argv, '--log-level') === 'debug';
  const stack = debug && error instanceof Error ? `${error.stack ?? ''}\n` : '';
  if (flagValue(argv, '--output') === 'json') {
    const json = await documentOf(info, exitCode, argv, terminal);
    return { out: `${JSON.stringify(json, null, 2)}\n`, err: redact(stack, terminal), exitCode };
  }
  const style = styleFor(terminal.stderrIsTty && !argv.includes('--no-color') && !terminal.env.NO_COLOR);
  const err = `${style.red('error')}  ${info.message}\n       ${style.dim(info.hint)}\n${stack}`;
  return { out: '', err: redact(err, terminal), exitCode };
}

const USAGE: ReadonlySet<string> = new Set(['usage', 'config-missing', 'config-invalid']);

function describe(error: unknown): ErrorInfo {
  if (!(error instanceof CommanderError)) return errorInfo(error);
  const message = error.message.replace(/^error: /, '').replace(/\n/g, ' ');
  return { code: 'usage', message, hint: hintFor('usage') };
}

/** `sync` and `check` answer with a whole report, so that whoever reads it needs no second form. */
async function documentOf(
  error: ErrorInfo,
  exitCode: number,
  argv: readonly string[],
  { env }: Terminal,
): Promise<unknown> {
  const command = argv.find((word) => COMMANDS.has(word));
  if (command !== 'sync' && command !== 'check')
    return { version: 1, command: command ?? null, exitCode, error };
  const { worldOf } = await import('./commands/context.ts');
  const { emptyReport } = await import('./report.ts');
  const { clock, uuid } = worldOf(env);
  return emptyReport({
    command,
    dryRun: command === 'check' || argv.includes('--dry-run'),
    runId: uuid(),
    now: clock.now(),
    exitCode,
    error,
  });
}

const COMMANDS: ReadonlySet<string> = new Set([
  'sync',
  'check',
  'sources',
  'history',
  'remove',
  'held',
  'validate',
  'daemon',
  'demo',
]);

/** Before the config is known, or when it is what failed, its secrets are not: the usual variables are blotted out. */
function redact(text: string, { env }: Terminal): string {
  const secrets = Object.entries(env).flatMap(([name, value]) =>
    value && /(SECRET|TOKEN|PASSWORD|WEBHOOK|PRIVATE|CREDENTIAL|_KEY)/i.test(name) ? [value] : [],
  );
  return redactor(secrets)(text);
}

function flagValue(argv: readonly string[], flag: string): string | undefined {
  const index = argv.findIndex((word) => word === flag || word.startsWith(`${flag}=`));
  if (index === -1) return undefined;
  return argv[index] === flag ? argv[index + 1] : argv[index]?.slice(flag.length + 1);
}
