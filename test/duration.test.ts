import fc from 'fast-check';
import { expect, test } from 'vitest';
import { durationSchema, formatDuration, MAX_DURATION_MS, parseDuration } from '../src/duration.ts';

test('a duration is a whole number and one unit', () => {
  const read = ['0s', '30s', '15m', '24h', '7d'].map(parseDuration);
  expect(read).toEqual([0, 30_000, 900_000, 86_400_000, 604_800_000]);
});

test('anything else is no duration, and nothing is longer than ten years', () => {
  for (const text of [
    '',
    '5',
    's',
    '-1s',
    '+1s',
    '1.5h',
    '01s',
    '1 h',
    '1h ',
    '1h30m',
    '1H',
    '1w',
    '1ms',
    '٣s',
  ])
    expect(parseDuration(text), text).toBeUndefined();
  expect(parseDuration('3650d')).toBe(MAX_DURATION_MS);
  expect(parseDuration('3651d')).toBeUndefined();
  expect(parseDuration('999999999d')).toBeUndefined();
});

test('a duration is written with the largest unit that fits exactly', () => {
  const written = [0, 1000, 90_000, 5_400_000, 86_400_000, 400, 1600].map(formatDuration);
  expect(written).toEqual(['0s', '1s', '90s', '90m', '1d', '0s', '2s']);
  for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY, MAX_DURATION_MS + 1])
    expect(() => formatDuration(ms)).toThrow(RangeError);
});

test('what is written is read back as the same time', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: MAX_DURATION_MS / 1000 }), (seconds) => {
      expect(parseDuration(formatDuration(seconds * 1000))).toBe(seconds * 1000);
    }),
  );
});

test('whatever text is read keeps its meaning when it is written again', () => {
  const duration = fc
    .tuple(fc.nat(4000), fc.constantFrom('s', 'm', 'h', 'd'))
    .map(([n, unit]) => `${n}${unit}`);
  fc.assert(
    fc.property(fc.oneof(duration, fc.string()), (text) => {
      const ms = parseDuration(text);
      if (ms !== undefined) expect(parseDuration(formatDuration(ms))).toBe(ms);
    }),
  );
});

test('limits of a config key may be reached and not passed', () => {
  const schema = durationSchema({ min: '1m', max: '1h' });
  expect(schema.parse('1m')).toBe(60_000);
  expect(schema.parse('60m')).toBe(3_600_000);
  for (const text of ['59s', '61m', '4000d'])
    expect(schema.safeParse(text).error?.issues[0]?.message).toBe('must be a duration from 1m to 1h');
});
