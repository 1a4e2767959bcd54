import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { Flags, Result, Terminal } from './commands/context.ts';
import { LOG_LEVELS } from './log.ts';

/** Runs the command that the arguments name and gives back its result; undefined when commander answered itself. */
export interface Parsed {
  readonly flags: Flags;
  readonly result: Result;
}

const EXIT_CODES = `
Exit codes: 0 done (in sync, applied, or waiting for its time), 1 something failed, 2 changes pending or drift
(check; sync --dry-run --detailed-exitcode), 3 held by a guard, 64 wrong usage or invalid config.`;

const EXAMPLES = `
Examples:
  allowlist-sync demo                       the whole product on embedded clouds, nothing to configure
  allowlist-sync validate                   is the config right?
  allowlist-sync sync --dry-run             what would be changed?
  allowlist-sync sync                       change it
  allowlist-sync check                      compare only: exit code 2 on drift
  allowlist-sync daemon                     on a schedule`;

/** What the program writes where: commander's own texts included. */
export interface Writers {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly version: string;
}

/**
 * Parses the arguments and runs the command. Only the command that is asked for is loaded. Throws commander's
 * `CommanderError` for wrong usage, and what the command throws.
 */
export async function runProgram(
  argv: readonly string[],
  terminal: Terminal,
  { out, err, version }: Writers,
): Promise<Parsed | undefined> {
  let parsed: Parsed | undefined;
  const program = new Command('allowlist-sync')
    .description(
      'Keeps the published egress addresses of Streamlit Community Cloud in step with your firewalls.',
    )
    .version(version, '-V, --version', 'print the version')
    .option(
      '--config <file>',
      'the config (default: ALLOWLIST_SYNC_CONFIG, or allowlist-sync.config.json or .yaml here)',
    )
    .addOption(
      new Option('--output <form>', 'the form of the result')
        .choices(['text', 'json', 'markdown'])
        .default('text'),
    )
    .addOption(
      new Option('--log-level <level>', 'what is logged on stderr (default: warn; info for daemon)').choices(
        LOG_LEVELS,
      ),
    )
    .option('--no-color', 'no colours (also: NO_COLOR)')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: out, writeErr: err, outputError: () => undefined })
    .exitOverride()
    .showSuggestionAfterError()
    .helpCommand('help [command]', 'the help of a command')
    .addHelpText('after', `${EXAMPLES}\n${EXIT_CODES}`);

  const register = <Options extends object>(
    name: string,
    description: string,
    shape: (command: Command) => Command,
    start: () => Promise<(options: Options & Flags, terminal: Terminal) => Promise<Result>>,
  ) => {
    shape(program.command(name).description(description)).action(async (...args: unknown[]) => {
      const command = args.at(-1);
      if (!(command instanceof Command)) return;
      const options = withColours(command.optsWithGlobals<Options & Flags>(), terminal);
      const run = await start();
      parsed = { flags: options, result: await run(options, terminal) };
    });
  };
  const targets = (command: Command, description: string) =>
    command.option('--target <name...>', description, collect);

  register<{ dryRun?: boolean }>(
    'sync',
    'one pass: fetch, compare, change, prove',
    (command) =>
      targets(command, 'only these targets')
        .option('--dry-run', 'show what would be done, write nothing')
        .option('--approve <id...>', 'release exactly the held list or plan with this id, once', collect)
        .option('--detailed-exitcode', 'with --dry-run: exit code 2 when there are changes')
        .addHelpText('after', EXIT_CODES),
    async () => (await import('./commands/sync.ts')).sync,
  );
  register(
    'check',
    'compare only: the drift of every target with its cause',
    (command) => targets(command, 'only these targets').addHelpText('after', EXIT_CODES),
    async () => (await import('./commands/sync.ts')).check,
  );
  register(
    'sources',
    'what each source publishes now, and the evidence',
    (command) => command,
    async () => (await import('./commands/sources.ts')).sources,
  );
  register<{ limit: number }>(
    'history',
    'changes of the list and of targets, and runs; the newest first',
    (command) => command.option('--limit <n>', 'at most this many records', positive, 20),
    async () => (await import('./commands/history.ts')).history,
  );
  register<{ target: readonly string[] }>(
    'remove',
    'take away everything that carries this owner’s marker on a target, after showing it',
    (command) =>
      command
        .requiredOption('--target <name...>', 'the targets to leave', collect)
        .option('--yes', 'do not ask'),
    async () => (await import('./commands/remove.ts')).remove,
  );
  register(
    'held',
    'what waits for approval, with ids and the commands that approve them',
    (command) => command,
    async () => (await import('./commands/held.ts')).held,
  );
  register(
    'validate',
    'check the config, without any network',
    (command) => command,
    async () => (await import('./commands/validate.ts')).validate,
  );
  register<{ grace: string }>(
    'daemon',
    'run on the schedule of the config until SIGTERM; SIGHUP reads the config again',
    (command) =>
      command.option('--grace <duration>', 'how long a stop waits for the run in hand', duration, '30s'),
    async () => (await import('./commands/daemon.ts')).daemon,
  );
  register<{ serve?: boolean; port?: number }>(
    'demo',
    'the whole product on embedded clouds on loopback: no account, no network, nothing to configure',
    (command) =>
      command.option(
        '--serve',
        'only the embedded clouds, until Ctrl-C; prints the variables and a config that use them',
      ),
    async () => (await import('./commands/demo.ts')).demo,
  );
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    // The help and the version, which commander has written by itself.
    if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error;
  }
  return parsed;
}

/** Colours are for terminals; https://no-color.org, and FORCE_COLOR for logs that show them. */
function withColours<Options extends Flags>(
  options: Options,
  { env, stdoutIsTty, stderrIsTty }: Terminal,
): Options {
  const wanted = options.color && !env.NO_COLOR;
  const forced = Boolean(env.FORCE_COLOR) && env.FORCE_COLOR !== '0';
  return {
    ...options,
    color: wanted && (stdoutIsTty || forced),
    logColor: wanted && (stderrIsTty || forced),
  };
}

/** `--target a b`, `--target a --target b` and `--target a,b` are all the same. */
function collect(value: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), ...value.split(',').filter((name) => name !== '')];
}

function positive(text: string): number {
  const value = Number(text);
  if (!/^\d{1,7}$/.test(text) || value < 1)
    throw new InvalidArgumentError('It must be a whole number of at least 1.');
  return value;
}

function duration(text: string): string {
  if (!/^\d{1,6}[smh]$/.test(text))
    throw new InvalidArgumentError('It must be a duration such as 30s or 5m.');
  return text;
}
