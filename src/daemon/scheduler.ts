import type { ScheduledTask } from 'node-cron';
import type { Clock } from '../clock.ts';
import { TransientError } from '../errors.ts';
import { createTask, type Schedule, ticksFrom } from './cron.ts';

export { intervalMs, validateCron } from './cron.ts';

/**
 * Why a run starts: the daemon did, a tick came, or a tick was missed (the host slept, the process was stuck) and is
 * made up for.
 */
export type RunReason = 'start' | 'tick' | 'missed';

/** How a stop went: nothing ran; the run ended in time; it was told to end, and did; or did not even then. */
type StopOutcome = 'idle' | 'finished' | 'aborted' | 'abandoned';

export interface SchedulerOptions extends Schedule {
  /** For the grace period. Ticks come from the system's clock. */
  clock: Clock;
  /** One run. Its signal is aborted when the grace period of a stop is over. */
  run: (reason: RunReason, signal: AbortSignal) => Promise<void>;
  /** What `run` throws; the schedule goes on. */
  onError: (error: unknown) => void;
  /** A tick came while a run was still at work; there is never a second one at the same time. */
  onSkip: () => void;
}

export interface Scheduler {
  /** Whether a run is at work. */
  readonly busy: boolean;
  /** The next ticks, without jitter; none once stopped. */
  nextRuns(count: number): Date[];
  /** Another schedule from now on; a run at work goes on. Throws, and keeps the old one, when it is invalid. */
  replaceSchedule(schedule: Schedule): void;
  /**
   * No more ticks. Waits up to `graceMs` for the run at work, then aborts its signal and waits a little more. May be
   * called again with a shorter grace.
   */
  stop(graceMs: number): Promise<StopOutcome>;
}

/** How long a run that was told to end may take for it. */
const ABORT_WAIT_MS = 5000;

/**
 * Runs once now, then on the schedule, one run at a time. `validateCron` tells beforehand whether the expression is
 * good; a bad one throws.
 */
export function startScheduler(options: SchedulerOptions): Scheduler {
  const { clock, run, onError, onSkip } = options;
  let schedule: Schedule = options;
  let stopped = false;
  let current: { readonly done: Promise<void>; readonly ender: AbortController } | undefined;

  // node-cron's own overlap check sees neither the first run nor one of a schedule that was replaced.
  const begin = (reason: RunReason): void => {
    if (stopped) return;
    if (current) {
      // After a long sleep of the host every tick it slept through comes at once.
      if (reason !== 'missed') onSkip();
      return;
    }
    const ender = new AbortController();
    const done = attempt(() => run(reason, ender.signal), onError).finally(() => {
      current = undefined;
    });
    current = { done, ender };
  };
  const launch = (wanted: Schedule): ScheduledTask => {
    // A tick that was waiting out its jitter when its task was replaced must not fire beside the new one's.
    const started = createTask(wanted, () => {
      if (started === task) begin('tick');
    });
    started.on('execution:missed', () => {
      if (started === task) begin('missed');
    });
    return started;
  };

  let task = launch(schedule);
  void task.start();
  begin('start');

  return {
    get busy() {
      return current !== undefined;
    },
    nextRuns: (count) => (stopped ? [] : ticksFrom(schedule, count)),
    replaceSchedule: (wanted) => {
      if (stopped) return;
      const next = launch(wanted);
      void task.destroy();
      task = next;
      schedule = wanted;
      void task.start();
    },
    stop: async (graceMs) => {
      stopped = true;
      void task.destroy();
      if (!current) return 'idle';
      const { done, ender } = current;
      if (await endsWithin(done, graceMs, clock)) return ender.signal.aborted ? 'aborted' : 'finished';
      const message = 'the daemon is stopping, and the run did not end within the grace period';
      ender.abort(new TransientError('deadline', message, { hint: 'The next run goes on from here.' }));
      return (await endsWithin(done, ABORT_WAIT_MS, clock)) ? 'aborted' : 'abandoned';
    },
  };
}

async function attempt(run: () => Promise<void>, onError: (error: unknown) => void): Promise<void> {
  try {
    await run();
  } catch (error) {
    onError(error);
  }
}

async function endsWithin(done: Promise<void>, ms: number, clock: Clock): Promise<boolean> {
  const waiting = new AbortController();
  const late = clock.sleep(ms, waiting.signal).then(
    () => false,
    () => true,
  );
  const inTime = await Promise.race([done.then(() => true), late]);
  waiting.abort();
  return inTime;
}
