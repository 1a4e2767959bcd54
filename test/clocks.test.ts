import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Cidr } from '../src/cidr.ts';
import { advanceClocks, isDue, type RemovalClocks } from '../src/clocks.ts';
import { address, HOUR, NOW } from './support/plans.ts';

const DAY = 24 * HOUR;
const list = (...numbers: number[]) => ({ cidrs: numbers.map(address), approved: false });
const NONE: RemovalClocks = new Map();
/** What was published before, and stands on targets. */
const known = (...cidrs: Cidr[]) => ({ listed: cidrs, held: cidrs });

test('an address that is newly missing starts at now, seen missing once', () => {
  const clocks = advanceClocks(NONE, list(1), known(address(1), address(2)), NOW);
  expect([...clocks]).toEqual([[address(2), { since: NOW, sightings: 1, approved: false, listed: true }]]);
});

test('what only ever stood on a target gets a clock too, and is not taken for published', () => {
  const clocks = advanceClocks(NONE, list(1), { listed: [address(1)], held: [address(9)] }, NOW);
  expect([...clocks]).toEqual([[address(9), { since: NOW, sightings: 1, approved: false, listed: false }]]);
});

test('each further list counts, and the start stays', () => {
  const first = advanceClocks(NONE, list(1), known(address(2)), NOW);
  const second = advanceClocks(first, list(1), known(address(2)), NOW + HOUR);
  expect(second.get(address(2))).toEqual({ since: NOW, sightings: 2, approved: false, listed: true });
});

test('an address that came back loses its clock', () => {
  const first = advanceClocks(NONE, list(1), known(address(2)), NOW);
  expect(advanceClocks(first, list(1, 2), known(address(2)), NOW + HOUR).size).toBe(0);
});

test('a clock from the future starts again, seen missing once', () => {
  const future: RemovalClocks = new Map([
    [address(2), { since: NOW + 1, sightings: 9, approved: true, listed: true }],
  ]);
  expect(advanceClocks(future, list(1), known(address(2)), NOW).get(address(2))).toEqual({
    since: NOW,
    sightings: 1,
    approved: false,
    listed: true,
  });
});

test('what a person approved stays approved while it is gone', () => {
  const first = advanceClocks(NONE, { ...list(1), approved: true }, known(address(2)), NOW);
  expect(advanceClocks(first, list(1), known(address(2)), NOW + HOUR).get(address(2))?.approved).toBe(true);
});

test('an address that no target holds any more is forgotten after thirty days', () => {
  const first = advanceClocks(NONE, list(1), known(address(2)), NOW);
  expect(advanceClocks(first, list(1), known(), NOW + 29 * DAY).size).toBe(1);
  expect(advanceClocks(first, list(1), known(), NOW + 30 * DAY).size).toBe(0);
  expect(advanceClocks(first, list(1), known(address(2)), NOW + 31 * DAY).size).toBe(1);
});

test.each([
  ['before the delay', DAY - 1, 2, false],
  ['at the delay, seen missing twice', DAY, 2, true],
  ['long after, seen missing once', 9 * DAY, 1, false],
])('%s: due or not', (_, elapsed, sightings, due) => {
  const clock = { since: NOW, sightings, approved: false, listed: true };
  expect(isDue(clock, DAY, NOW + elapsed)).toBe(due);
});

test('without a delay it is due at once; with a clock from the future never', () => {
  expect(isDue({ since: NOW, sightings: 1, approved: false, listed: true }, 0, NOW)).toBe(true);
  expect(isDue({ since: NOW + 9, sightings: 5, approved: false, listed: true }, 1, NOW)).toBe(false);
});

test('whatever is published when, and whatever the clock of the host does, nothing is due before its delay and two lists', () => {
  const someStep = fc.record({
    wait: fc.integer({ min: -2 * HOUR, max: 30 * HOUR }),
    published: fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { maxLength: 4 }),
  });
  fc.assert(
    fc.property(fc.array(someStep, { minLength: 1, maxLength: 12 }), (steps) => {
      let clocks = NONE;
      let now = NOW;
      const all = [1, 2, 3, 4].map(address);
      const missing = new Map<Cidr, number[]>();
      for (const { wait, published } of steps) {
        now += wait;
        clocks = advanceClocks(clocks, list(...published), known(...all), now);
        for (const cidr of all) {
          const gone = !published.map(address).includes(cidr);
          missing.set(cidr, gone ? [...(missing.get(cidr) ?? []), now] : []);
          const clock = clocks.get(cidr);
          if (!gone) expect(clock).toBeUndefined();
          if (!clock || !isDue(clock, DAY, now)) continue;
          const seen = missing.get(cidr) ?? [];
          expect(seen.length).toBeGreaterThanOrEqual(2);
          expect(now - Math.min(...seen)).toBeGreaterThanOrEqual(DAY);
        }
      }
    }),
  );
});
