import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import { type RunReason, type SchedulerOptions, startScheduler } from '../../src/daemon/scheduler.ts';

const MINUTE = 60_000;
const QUARTERLY = { cron: '*/15 * * * *', timezone: 'UTC', jitterMs: 0 };

// node-cron reads the system's clock and timers; these are moved by hand.
beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-03-02T12:01:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const clock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    }),
};

interface Run {
  readonly reason: RunReason;
  readonly at: string;
  readonly signal: AbortSignal;
  end(error?: Error): void;
}

/** A scheduler whose runs end when the test says so, or at once. */
function daemon(given: Partial<SchedulerOptions> & { endAtOnce?: boolean } = {}) {
  const { endAtOnce = false, ...options } = given;
  const runs: Run[] = [];
  const errors: unknown[] = [];
  let skipped = 0;
  const scheduler = startScheduler({
    ...QUARTERLY,
    clock,
    run: (reason, signal) =>
      new Promise((resolve, reject) => {
        const end = (error?: Error) => (error ? reject(error) : resolve());
        runs.push({ reason, signal, at: new Date().toISOString().slice(11, 19), end });
        if (endAtOnce) end();
      }),
    onError: (error) => errors.push(error),
    onSkip: () => {
      skipped += 1;
    },
    ...options,
  });
  onTestFinished(() => void scheduler.stop(0));
  return {
    scheduler,
    runs,
    errors,
    skipped: () => skipped,
    told: () => runs.map(({ reason, at }) => `${reason} ${at}`),
  };
}

test('it runs at once, then on the schedule', async () => {
  const { told } = daemon({ endAtOnce: true });
  await vi.advanceTimersByTimeAsync(31 * MINUTE);
  expect(told()).toEqual(['start 12:01:00', 'tick 12:15:00', 'tick 12:30:00']);
});

test('the schedule is read in its time zone', async () => {
  const { told } = daemon({ endAtOnce: true, cron: '0 18 * * *', timezone: 'Asia/Kolkata' });
  await vi.advanceTimersByTimeAsync(60 * MINUTE);
  expect(told()).toEqual(['start 12:01:00', 'tick 12:30:00']);
});

test('there is never a second run beside one: a tick that comes is skipped, and said to be', async () => {
  const { told, runs, skipped, scheduler } = daemon();
  await vi.advanceTimersByTimeAsync(30 * MINUTE);
  expect([told(), skipped(), scheduler.busy]).toEqual([['start 12:01:00'], 2, true]);
  runs[0]?.end();
  await vi.advanceTimersByTimeAsync(0);
  expect(scheduler.busy).toBe(false);
  await vi.advanceTimersByTimeAsync(15 * MINUTE);
  expect(told()).toEqual(['start 12:01:00', 'tick 12:45:00']);
});

test('a run that throws is told of, and the schedule goes on', async () => {
  const { runs, errors, told } = daemon();
  const error = new Error('no network');
  runs[0]?.end(error);
  await vi.advanceTimersByTimeAsync(15 * MINUTE);
  expect(errors).toEqual([error]);
  expect(told()).toHaveLength(2);
});

test('jitter puts a tick off, and the first run not at all', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  const { told } = daemon({ endAtOnce: true, jitterMs: 5 * MINUTE });
  await vi.advanceTimersByTimeAsync(30 * MINUTE);
  expect(told()).toEqual(['start 12:01:00', 'tick 12:17:30']);
});

test('ticks that were slept through are made up for by one run', async () => {
  const { told, skipped } = daemon({ endAtOnce: true });
  await vi.advanceTimersByTimeAsync(0);
  // The clock goes on while no timer does, as on a host that sleeps.
  vi.setSystemTime(Date.parse('2026-03-02T15:07:00Z'));
  await vi.advanceTimersByTimeAsync(15 * MINUTE);
  expect(told()).toEqual(['start 12:01:00', 'missed 15:21:00']);
  expect(skipped()).toBe(0);
});

test('another schedule holds from now on, and a run at work is not disturbed', async () => {
  const { told, runs, scheduler } = daemon();
  scheduler.replaceSchedule({ cron: '*/20 * * * *', timezone: 'UTC', jitterMs: 0 });
  expect(scheduler.busy).toBe(true);
  expect(runs[0]?.signal.aborted).toBe(false);
  runs[0]?.end();
  await vi.advanceTimersByTimeAsync(30 * MINUTE);
  expect(told()).toEqual(['start 12:01:00', 'tick 12:20:00']);
});

test('a tick of the old schedule that waits out its jitter does not fire any more', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  const { told, scheduler } = daemon({ endAtOnce: true, jitterMs: 10 * MINUTE });
  await vi.advanceTimersByTimeAsync(15 * MINUTE);
  scheduler.replaceSchedule({ cron: '0 0 * * *', timezone: 'UTC', jitterMs: 0 });
  await vi.advanceTimersByTimeAsync(30 * MINUTE);
  expect(told()).toEqual(['start 12:01:00']);
});

test('an invalid schedule is refused, and the old one goes on', async () => {
  const { told, scheduler } = daemon({ endAtOnce: true });
  expect(() => scheduler.replaceSchedule({ cron: '61 * * * *', timezone: 'UTC', jitterMs: 0 })).toThrow();
  await vi.advanceTimersByTimeAsync(15 * MINUTE);
  expect(told()).toEqual(['start 12:01:00', 'tick 12:15:00']);
});

test('the next ticks are known, until it is stopped', async () => {
  const { scheduler, runs } = daemon();
  expect(scheduler.nextRuns(2).map((date) => date.toISOString())).toEqual([
    '2026-03-02T12:15:00.000Z',
    '2026-03-02T12:30:00.000Z',
  ]);
  runs[0]?.end();
  await vi.advanceTimersByTimeAsync(0);
  expect(await scheduler.stop(1000)).toBe('idle');
  expect(scheduler.nextRuns(2)).toEqual([]);
});

test('a stop lets the run at work finish, and starts no other', async () => {
  const { scheduler, runs } = daemon();
  const stopped = scheduler.stop(30_000);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(runs[0]?.signal.aborted).toBe(false);
  runs[0]?.end();
  expect(await stopped).toBe('finished');
  await vi.advanceTimersByTimeAsync(60 * MINUTE);
  expect(runs).toHaveLength(1);
});

test('a run that takes longer than the grace period is told to end', async () => {
  const { scheduler, runs, errors } = daemon();
  runs[0]?.signal.addEventListener('abort', () => runs[0]?.end(new Error('cut short')));
  const stopped = scheduler.stop(30_000);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(await stopped).toBe('aborted');
  expect(runs[0]?.signal.reason).toMatchObject({ code: 'deadline' });
  expect(errors).toMatchObject([{ message: 'cut short' }]);
});

test('a run that does not end even then does not hold up the stop', async () => {
  const { scheduler } = daemon();
  const stopped = scheduler.stop(30_000);
  await vi.advanceTimersByTimeAsync(36_000);
  expect(await stopped).toBe('abandoned');
});

test('a second stop can be in more of a hurry', async () => {
  const { scheduler, runs } = daemon();
  runs[0]?.signal.addEventListener('abort', () => runs[0]?.end());
  const patient = scheduler.stop(600_000);
  const hurried = scheduler.stop(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(await Promise.all([patient, hurried])).toEqual(['aborted', 'aborted']);
});

test('nothing is left that keeps the process alive, and nothing is printed', async () => {
  const printed = ['log', 'info', 'warn', 'error', 'debug'].map((name) => vi.spyOn(console, name as 'log'));
  const { scheduler, runs } = daemon({ cron: '* * * * * *' });
  await vi.advanceTimersByTimeAsync(5000);
  runs[0]?.end(new Error('no'));
  await vi.advanceTimersByTimeAsync(0);
  await scheduler.stop(0);
  expect(vi.getTimerCount()).toBe(0);
  for (const spy of printed) expect(spy).not.toHaveBeenCalled();
});
