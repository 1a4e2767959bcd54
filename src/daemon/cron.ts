import { createRequire } from 'node:module';
import type { Logger, NodeCron, ScheduledTask, TaskFn } from 'node-cron';

/** When the daemon runs. */
export interface Schedule {
  /** Five fields, or six with seconds first, as node-cron reads them. */
  readonly cron: string;
  /** IANA name. */
  readonly timezone: string;
  /** Each run starts up to this much later, in milliseconds. */
  readonly jitterMs: number;
}

/** A day more than a week, so that every hour of it is inside whenever one looks. */
const WEEK_MS = 8 * 24 * 3_600_000;
const MOST_TICKS = 1000;

/** node-cron logs coloured lines of its own unless it is given a logger; what matters comes to us as events. */
const SILENT: Logger = { info() {}, warn() {}, error() {}, debug() {} };

/**
 * What is wrong with a cron expression, to finish the line `schedule.cron: …`, or undefined. An expression that never
 * fires (the 30th of February) is wrong too.
 */
export function validateCron(expression: string): string | undefined {
  const { valid, errors } = loadNodeCron().validateDetailed(expression);
  const [first] = errors;
  if (!valid) {
    if (!first || first.field === 'expression') {
      const why = expression.trim() === '' ? 'it is empty' : (first?.message ?? 'it cannot be read');
      return `must be a cron expression such as "*/15 * * * *": ${why}`;
    }
    const field = first.field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    return `has no valid ${field}: "${first.value ?? ''}"`;
  }
  try {
    ticksFrom({ cron: expression, timezone: 'UTC', jitterMs: 0 }, 1);
    return undefined;
  } catch {
    return 'never comes: there is no such date';
  }
}

/**
 * The longest time between two ticks in the week to come, in milliseconds: what may pass in good order without a
 * run. Fifteen minutes for every quarter of an hour, three days for the mornings of working days. A schedule with more
 * than a thousand ticks a week is judged by the first thousand.
 */
export function intervalMs(cron: string, timezone: string): number {
  const schedule = { cron, timezone, jitterMs: 0 };
  const [first, second] = ticksFrom(schedule, 2).map((date) => date.getTime());
  if (first === undefined || second === undefined) return WEEK_MS;
  const count = Math.min(MOST_TICKS, Math.ceil(WEEK_MS / (second - first)) + 1);
  const ticks = ticksFrom(schedule, Math.max(2, count)).map((date) => date.getTime());
  const gaps = ticks.slice(1).map((tick, index) => ({ from: ticks[index] ?? tick, tick }));
  const near = gaps.filter(({ from }) => from === first || from < first + WEEK_MS);
  return Math.max(...near.map(({ from, tick }) => tick - from));
}

/** The next `count` ticks after now, without jitter. */
export function ticksFrom(schedule: Schedule, count: number): Date[] {
  const task = createTask(schedule, () => undefined);
  try {
    return task.getNextRuns(count);
  } finally {
    void task.destroy();
  }
}

/** A node-cron task that is not started yet. node-cron keeps a list of all tasks: destroy it when done. */
export function createTask({ cron, timezone, jitterMs }: Schedule, tick: TaskFn): ScheduledTask {
  return loadNodeCron().createTask(cron, tick, {
    timezone,
    maxRandomDelay: jitterMs,
    logger: SILENT,
    suppressMissedWarning: true,
    // For the jitter alone: a tick that still waits is not joined by the next one.
    noOverlap: true,
  });
}

/** Only when it is needed, and without waiting, so that checking a config stays one step. */
function loadNodeCron(): NodeCron {
  return createRequire(import.meta.url)('node-cron');
}
