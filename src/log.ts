import type { Logger } from 'pino';
import { CatalogueError, errorInfo } from './errors.ts';
import { neutralise, redactor } from './text.ts';

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
 * The log, on stderr. pino is loaded here and only here, and not for `silent`. Secret values are blotted out and
 * control characters made visible in every line, whatever it was made of. Stacks are shown at level `debug` only.
 */
export async function createLogger(options: LogOptions): Promise<Log> {
  const { level, pretty, color = false, secrets = [], destination = process.stderr } = options;
  if (level === 'silent') return silentLog;
  const { pino, stdTimeFunctions } = await import('pino');
  const clean = cleaner(redactor(secrets));
  const stream = pretty ? await prettyStream(destination, color) : destination;
  const logger: Logger = pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error: unknown) => describeError(error, level === 'debug') },
      hooks: { streamWrite: clean },
    },
    { write: (line) => void stream.write(line) },
  );
  return {
    error: (fields, message) => logger.error(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    info: (fields, message) => logger.info(fields, message),
    debug: (fields, message) => logger.debug(fields, message),
  };
}

async function prettyStream(
  destination: { write(line: string): unknown },
  color: boolean,
): Promise<{ write(line: string): unknown }> {
  const { prettyFactory } = await import('pino-pretty');
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
  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') return safe(value);
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [safe(key), walk(inner)]));
  };
  return (line) => {
    try {
      return `${JSON.stringify(walk(JSON.parse(line)))}\n`;
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
