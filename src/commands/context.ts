import { randomUUID } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { systemClock } from '../clock.ts';
import { type Config, loadConfig } from '../config.ts';
import { createLogger, type Log, type LogLevel } from '../log.ts';
import type { PassEvent, World } from '../pass.ts';
import { envSecrets } from '../secrets.ts';

type Output = 'text' | 'json' | 'markdown';

/** The options that every command takes. */
export interface Flags {
  readonly config?: string;
  readonly output: Output;
  readonly logLevel?: LogLevel;
  /** In the result. */
  readonly color: boolean;
  /** In the log. */
  readonly logColor?: boolean;
}

/** The process as the commands see it: whoever starts them brings it. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdoutIsTty: boolean;
  readonly stderrIsTty: boolean;
  /** Characters that fit a line of stdout, where it is a terminal that says so. */
  readonly columns?: number | undefined;
  /** Whether a person can be asked. */
  readonly stdinIsTty: boolean;
  /** Asks one question on the terminal and gives the answer. */
  readonly ask: (question: string) => Promise<string>;
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
  /** Ends when the process is told to stop. */
  readonly signal: AbortSignal;
  /** Calls back at each SIGHUP. */
  readonly onReload: (callback: () => void) => void;
}

/** What a command gives back; printing it, and ending the process, is for whoever called. */
export interface Result {
  readonly exitCode: number;
  readonly json: unknown;
  /** For people. */
  readonly lines: readonly string[];
  /** Where the command has such a form. */
  readonly markdown?: readonly string[];
  /** Values to blot out of whatever of this is printed. */
  readonly secrets?: readonly string[];
}

/** What most commands start from. */
export interface Context {
  readonly flags: Flags;
  readonly terminal: Terminal;
  readonly config: Config;
  readonly world: World;
  readonly log: Log;
}

/**
 * Loads the config and opens the log. Throws `config-missing` and `config-invalid`.
 * @param level what is logged unless --log-level says otherwise
 */
export async function openContext(flags: Flags, terminal: Terminal, level: LogLevel): Promise<Context> {
  const config = await loadFor(flags, terminal);
  const log = await createLogger({
    level: flags.logLevel ?? level,
    pretty: terminal.stderrIsTty,
    color: flags.logColor === true,
    secrets: secretsOf(config, terminal.env),
    destination: { write: terminal.writeErr },
  });
  return { flags, terminal, config, world: worldOf(terminal.env), log };
}

/** The config that the flags name. Throws `config-missing` and `config-invalid`. */
export function loadFor(
  { config }: Pick<Flags, 'config'>,
  { env, cwd }: Pick<Terminal, 'env' | 'cwd'>,
): Promise<Config> {
  return loadConfig({ env, cwd, path: config });
}

/** The real world: the system's clock and randomness. */
export function worldOf(env: Terminal['env']): World {
  return {
    clock: systemClock,
    random: Math.random,
    uuid: randomUUID,
    env,
    user: userName(),
    host: hostname(),
  };
}

/** Every value that must not be printed: the secrets of the config, and those of the environment itself. */
export function secretsOf(config: Config, env: Terminal['env'] = {}): string[] {
  return [...config.secrets, ...envSecrets(env)];
}

/** Logs what happens along the way, and shows progress to a person who waits for many targets. */
export function narrate({
  log,
  terminal,
  flags,
}: Pick<Context, 'log' | 'terminal' | 'flags'>): (event: PassEvent) => void {
  const shows = terminal.stderrIsTty && flags.output === 'text' && flags.logLevel === undefined;
  const progress = (verb: string, count: number, of: number) => {
    if (!shows || of < MANY) return;
    terminal.writeErr(count < of ? `\r${verb} ${count} of ${of} targets ` : '\r\u001b[K');
  };
  return (event) => {
    switch (event.type) {
      case 'source-read':
        return log.debug({ source: event.source, status: event.status, count: event.count }, 'source read');
      case 'target-read':
        progress('read', event.read, event.of);
        return log.debug({ target: event.target }, 'target read');
      case 'target-done':
        progress('finished', event.done, event.of);
        return log.debug({ target: event.target }, 'target finished');
      case 'retry':
        return log.info(
          { where: event.where, ms: Math.round(event.delayMs), err: event.error },
          'trying again',
        );
      case 'channel-failed':
        return log.warn({ reason: event.reason }, 'alert not delivered; tried again at the next run');
    }
  };
}

const MANY = 9;

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a uid without a name.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
