import { createRequire } from 'node:module';
import { CatalogueError, errorInfo } from './errors.ts';
import { mapTexts, neutralise, redactor } from './text.ts';

/** The worst first; each lets itself and those before it through. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Data in fields (`err` for an error, `ms` for times), and a message that is always the same. */
type Line = (fields: Readonly<Record<string, unknown>>, message: string) => void;

export interface Log {
  readonly error: Line;
  readonly warn: Line;
  readonly info: Line;
  readonly debug: Line;
}

export interface LogOptions {
  level: LogLevel;
  /** For a terminal: aligned lines for people; else one JSON object a line. */
  pretty: boolean;
  /** With `pretty` only. */
  color?: boolean;
  /** Values that must not be seen, wherever in a line they stand. */
  secrets?: Iterable<string>;
  /** Default: stderr, which is written at once, so that nothing is lost when the process ends. */
  destination?: { write(line: string): unknown };
}

/** Says nothing. */
const silentLog: Log = { error() {}, warn() {}, info() {}, debug() {} };

/**
 * The log, on stderr. pino is loaded here and only here, and not before the first line: most runs have nothing to
 * say. Secret values are blotted out and control characters made visible in every line, whatever it was made of.
 * Stacks are shown at level `debug` only.
 */
export async function createLogger(options: LogOptions): Promise<Log> {
  const { level, pretty, color = false, secrets = [], destination = process.stderr } = options;
  if (level === 'silent') return silentLog;
  const redact = redactor(secrets);
  let opened: Log | undefined;
  const open = (): Log => {
    const { pino, stdTimeFunctions } = loadPino();
    const stream = pretty ? prettyStream(destination, color) : destination;
    opened = pino(
      {
        level,
        base: null,
        timestamp: stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        serializers: { err: (error: unknown) => describeError(error, level === 'debug') },
        hooks: { streamWrite: cleaner(redact) },
      },
      { write: (line) => void stream.write(line) },
    );
    return opened;
  };
  const line =
    (kind: (typeof LOG_LEVELS)[number] & keyof Log): Line =>
    (fields, message) => {
      if (LOG_LEVELS.indexOf(kind) <= LOG_LEVELS.indexOf(level)) (opened ?? open())[kind](fields, message);
    };
  return { error: line('error'), warn: line('warn'), info: line('info'), debug: line('debug') };
}

/** At once, since whoever logs does not wait. */
function loadPino(): typeof import('pino') {
  return createRequire(import.meta.url)('pino');
}

function prettyStream(
  destination: { write(line: string): unknown },
  color: boolean,
): { write(line: string): unknown } {
  const { prettyFactory }: typeof import('pino-pretty') = createRequire(import.meta.url)('pino-pretty');
  const format = prettyFactory({
    colorize: color,
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'pid,hostname',
    singleLine: true,
    errorLikeObjectKeys: [],
  });
  return { write: (line) => destination.write(format(line)) };
}

/** On the parsed line, so that no way of writing a character as an escape gets past. */
function cleaner(redact: (text: string) => string): (line: string) => string {
  const safe = (text: string): string => neutralise(redact(text), { keepLines: true });
  return (line) => {
    try {
      return `${JSON.stringify(mapTexts(JSON.parse(line), safe, { keys: true }))}\n`;
    } catch {
      return `${JSON.stringify({ level: 'error', msg: 'a log line could not be written' })}\n`;
    }
  };
}

/** As the report shows it; for `debug` with stack, and with the causes that led to it. */
function describeError(error: unknown, withStack: boolean): object {
  const info = errorInfo(error);
  if (!withStack || !(error instanceof Error)) return info;
  const cause = error.cause === undefined ? {} : { cause: describeError(error.cause, true) };
  const code = error instanceof CatalogueError ? {} : { name: error.name };
  return { ...info, ...code, stack: error.stack, ...cause };
}
