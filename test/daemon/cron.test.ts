import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { intervalMs, validateCron } from '../../src/daemon/scheduler.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-03-02T12:07:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

test.each(['*/15 * * * *', '0 9-17 * * 1-5', '*/30 * * * * *', '@daily', '0 0 29 2 *', '0 3 * jan sun'])(
  '%s is a schedule',
  (cron) => {
    expect(validateCron(cron)).toBeUndefined();
  },
);

test.each([
  ['', 'must be a cron expression such as "*/15 * * * *": it is empty'],
  ['every day', 'must be a cron expression such as "*/15 * * * *": expected 5 or 6 fields but got 2'],
  ['61 * * * *', 'has no valid minute: "61"'],
  ['* 25 * * *', 'has no valid hour: "25"'],
  ['* * 32 * *', 'has no valid day of month: "32"'],
  ['* * * * 8', 'has no valid day of week: "8"'],
  ['0 0 30 2 *', 'has no valid day of month: "30"'],
  ['0 0 L-30 2 *', 'never comes: there is no such date'],
])('«%s» is none, and what is wrong is said', (cron, problem) => {
  expect(validateCron(cron)).toBe(problem);
});

test.each([
  ['*/15 * * * *', 15 * MINUTE],
  ['* * * * *', MINUTE],
  ['*/10 * * * * *', 10_000],
  ['0 9 * * *', 24 * HOUR],
  ['0 9 * * 1-5', 72 * HOUR],
  ['*/15 9-17 * * *', 15.25 * HOUR],
  ['0 0 1 * *', 30 * 24 * HOUR],
])('between two ticks of %s at most this passes in good order', (cron, ms) => {
  expect(intervalMs(cron, 'UTC')).toBe(ms);
});

test('a day that is an hour longer counts in the time zone that has it', () => {
  vi.setSystemTime(Date.parse('2026-10-23T12:00:00Z'));
  expect(intervalMs('0 9 * * *', 'Europe/Berlin')).toBe(25 * HOUR);
  expect(intervalMs('0 9 * * *', 'UTC')).toBe(24 * HOUR);
});
