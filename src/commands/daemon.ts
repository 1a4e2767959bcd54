import { z } from 'zod';
import { startScheduler } from '../daemon/scheduler.ts';
import { formatDuration, parseDuration } from '../duration.ts';
import { errorInfo } from '../errors.ts';
import type { Report } from '../report.ts';
import { type Context, type Flags, openContext, type Result, type Terminal } from './context.ts';
import { onePass } from './sync.ts';

export interface DaemonOptions extends Flags {
  /** How long a stop waits for the run in hand, such as `30s`. */
  readonly grace: string;
}

/** What `daemon --output json` prints at its end. */
export const daemonDocumentSchema = z.strictObject({
  version: z.literal(1),
  outcome: z
    .enum(['idle', 'finished', 'aborted', 'abandoned'])
    .describe('What became of the run in hand: none, it ended in time, it was told to end, not even that.'),
  error: z.null(),
});

const DEFAULT_GRACE_MS = 30_000;

/**
 * `daemon`: runs the pass at its start and then on the schedule, until SIGTERM or SIGINT. SIGHUP reads the config
 * again; an invalid one is refused, and the old one stays.
 */
export async function daemon(options: DaemonOptions, terminal: Terminal): Promise<Result> {
  let context = await openContext(options, terminal, 'info');
  const schedule = ({ config }: Context) => ({
    cron: config.schedule.cron,
    timezone: config.schedule.timezone,
    jitterMs: config.schedule.jitter,
  });
  const { log, config } = context;
  log.info(
    {
      config: config.path,
      cron: config.schedule.cron,
      timezone: config.schedule.timezone,
      targets: config.targets.length,
    },
    'daemon started',
  );
  const scheduler = startScheduler({
    ...schedule(context),
    clock: context.world.clock,
    run: async (reason, signal) => {
      // The terminal's signal starts the grace period; the run itself ends with the scheduler's.
      const mine = { ...context, terminal: { ...terminal, signal } };
      context.log.info({ reason }, 'run started');
      logReport(context, await onePass(mine, { command: 'sync' }));
    },
    onError: (error) => context.log.error({ err: error, hint: errorInfo(error).hint }, 'run failed'),
    onSkip: () => context.log.warn({}, 'tick skipped: the run before is still at work'),
  });
  terminal.onReload(() => {
    void reload(options, terminal, context).then((next) => {
      if (!next) return;
      context = next;
      scheduler.replaceSchedule(schedule(next));
      log.info({ config: next.config.path, next: scheduler.nextRuns(1)[0] }, 'config read again');
    });
  });

  await aborted(terminal.signal);
  const grace = parseDuration(options.grace) ?? DEFAULT_GRACE_MS;
  context.log.info({ grace: formatDuration(grace), busy: scheduler.busy }, 'stopping');
  const outcome = await scheduler.stop(grace);
  context.log.info({ outcome }, 'stopped');
  const json: z.output<typeof daemonDocumentSchema> = { version: 1, outcome, error: null };
  return { exitCode: outcome === 'abandoned' ? 1 : 0, json, lines: [] };
}

async function reload(
  options: DaemonOptions,
  terminal: Terminal,
  { log }: Context,
): Promise<Context | undefined> {
  try {
    return await openContext(options, terminal, 'info');
  } catch (error) {
    log.error({ err: error }, 'the new config is refused; the old one stays');
    return undefined;
  }
}

function logReport({ log }: Context, report: Report): void {
  const { exitCode, durationMs, egress, targets, alerts, error } = report;
  const level = exitCode === 0 ? log.info : exitCode === 1 ? log.error : log.warn;
  for (const source of egress.sources)
    if (source.error)
      log.warn({ source: source.type, status: source.status, reason: source.error.message }, 'source failed');
  for (const { guard, detail, id } of egress.held) log.warn({ guard, detail, id }, 'list held');
  for (const { name, status, changes, held, error: failure, apiCalls } of targets) {
    const applied = changes.filter((change) => change.applied).length;
    const fields = { target: name, status, changes: applied, apiCalls };
    if (failure)
      log.error(
        { ...fields, code: failure.code, reason: failure.message, hint: failure.hint },
        'target failed',
      );
    else if (held.length > 0) log.warn({ ...fields, held }, 'target held');
    else if (applied > 0) log.info(fields, 'target changed');
    else log.debug(fields, 'target looked at');
  }
  const undelivered = alerts.filter(({ delivered }) => !delivered).length;
  level(
    {
      exitCode,
      ms: durationMs,
      addresses: egress.cidrs?.length ?? null,
      undelivered,
      ...(error ? { reason: error.message } : {}),
    },
    'run finished',
  );
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
