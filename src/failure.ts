import { CommanderError } from 'commander';
import { z } from 'zod';
import type { Terminal } from './commands/context.ts';
import { type ErrorInfo, errorInfo } from './errors.ts';
import { styleFor } from './render/style.ts';
import { emptyReport, errorSchema } from './report.ts';
import { envSecrets } from './secrets.ts';
import { mapTexts, redactor } from './text.ts';

/** What a command that could not do its work prints with `--output json`, but for `sync` and `check`. */
export const errorDocumentSchema = z.strictObject({
  version: z.literal(1),
  command: z.string().nullable().describe('Null when no known command was named.'),
  exitCode: z.int().describe('64 for wrong usage or an invalid config, else 1.'),
  error: errorSchema,
});

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
  const command = argv.find((word) => COMMANDS.has(word));
  const info = describe(error, command);
  const exitCode = USAGE.has(info.code) ? 64 : 1;
  const debug = flagValue(argv, '--log-level') === 'debug';
  const stack = debug && error instanceof Error ? `${error.stack ?? ''}\n` : '';
  // Before the config is known, or when it is what failed, its secrets are not: those of the environment are.
  const redact = redactor(envSecrets(terminal.env));
  if (flagValue(argv, '--output') === 'json') {
    const json = await documentOf(info, exitCode, { command, argv, terminal });
    return { out: `${JSON.stringify(mapTexts(json, redact), null, 2)}\n`, err: redact(stack), exitCode };
  }
  const style = styleFor(terminal.stderrIsTty && !argv.includes('--no-color') && !terminal.env.NO_COLOR);
  const err = `${style.red('error')}  ${info.message}\n       ${style.dim(info.hint)}\n${stack}`;
  return { out: '', err: redact(err), exitCode };
}

const USAGE: ReadonlySet<string> = new Set(['usage', 'config-missing', 'config-invalid']);

function describe(error: unknown, command: string | undefined): ErrorInfo {
  if (!(error instanceof CommanderError)) return errorInfo(error);
  // Commander has shown the help itself then, and its message is a word of its own.
  const isHelp = error.code === 'commander.help';
  const message = isHelp ? 'no command was given' : error.message.replace(/^error: /, '').replace(/\n/g, ' ');
  const hint = `See \`allowlist-sync ${command ? `${command} ` : ''}--help\`.`;
  return { code: 'usage', message, hint };
}

/** `sync` and `check` answer with a whole report, so that whoever reads it needs no second form. */
async function documentOf(
  error: ErrorInfo,
  exitCode: number,
  run: { command: string | undefined; argv: readonly string[]; terminal: Terminal },
): Promise<unknown> {
  const { command = null, argv } = run;
  if (command !== 'sync' && command !== 'check') {
    const document: z.output<typeof errorDocumentSchema> = { version: 1, command, exitCode, error };
    return document;
  }
  const { worldOf } = await import('./commands/context.ts');
  const { clock, uuid } = worldOf(run.terminal.env);
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

function flagValue(argv: readonly string[], flag: string): string | undefined {
  const index = argv.findIndex((word) => word === flag || word.startsWith(`${flag}=`));
  if (index === -1) return undefined;
  return argv[index] === flag ? argv[index + 1] : argv[index]?.slice(flag.length + 1);
}
