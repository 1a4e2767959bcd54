import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeRoom } from '../src/capacity.ts';
import { toCidr } from '../src/cidr.ts';
import { address, entry } from './support/plans.ts';

const V6 = toCidr('2600:1900::1/128');
const four = (used: number, limit: number) => ({ scope: 'ipv4' as const, used, limit });
const room = (more: Partial<Parameters<typeof makeRoom>[0]>) =>
  makeRoom({
    capacity: [],
    atomic: false,
    additions: [],
    removals: [],
    waiting: [],
    mayGoFirst: () => true,
    ...more,
  });
const leaving = [entry('34.19.100.1/32'), entry('34.19.100.2/32'), entry('34.19.100.3/32')];

test('what fits beside what is there needs nothing to go first', () => {
  const fit = room({ capacity: [four(58, 60)], additions: [address(8), address(9)], removals: leaving });
  expect(fit).toEqual({ first: [], overflow: null });
});

test('only as many go first as are needed, those that are due before those that wait', () => {
  const [a, b, c] = leaving;
  const fit = room({
    capacity: [four(60, 60)],
    additions: [address(8), address(9)],
    removals: a ? [a] : [],
    waiting: [b, c].flatMap((one) => one ?? []),
  });
  expect(fit).toEqual({ first: [a, b], overflow: null });
});

test('what may not go first does not, and the numbers say why it is too much', () => {
  const fit = room({
    capacity: [four(60, 60)],
    additions: [address(8)],
    removals: leaving,
    mayGoFirst: () => false,
  });
  expect(fit.overflow).toBe(
    '60 ipv4 entries there and 1 to add exceed the limit of 60, and only 0 could go first',
  );
});

test('families have their room apart; a common limit counts both', () => {
  const six = { scope: 'ipv6' as const, used: 60, limit: 60 };
  expect(room({ capacity: [four(10, 60), six], additions: [address(8)] }).overflow).toBeNull();
  expect(room({ capacity: [four(10, 60), six], additions: [V6] }).overflow).not.toBeNull();
  const all = { scope: 'all' as const, used: 60, limit: 60 };
  expect(room({ capacity: [all], additions: [V6] }).overflow).toContain('60 entries there');
});

test('what is replaced at once needs room for the end only, and has nothing that goes first', () => {
  const fit = room({ capacity: [four(60, 60)], atomic: true, additions: [address(8)], removals: leaving });
  expect(fit).toEqual({ first: [], overflow: null });
});

test('removals alone always fit, in an overfull object too', () => {
  expect(room({ capacity: [four(70, 60)], removals: leaving })).toEqual({ first: [], overflow: null });
});

test('with what goes first the peak never exceeds the limit', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 20 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 0, max: 10 }),
      fc.integer({ min: 0, max: 6 }),
      (others, limit, additions, going) => {
        const removals = Array.from({ length: going }, (_, n) => entry(`34.19.101.${n}/32`));
        const used = others + going;
        const fit = room({
          capacity: [four(used, limit)],
          additions: Array.from({ length: additions }, (_, n) => address(n)),
          removals,
        });
        if (fit.overflow === null && additions > 0)
          expect(used - fit.first.length + additions).toBeLessThanOrEqual(limit);
        if (fit.overflow !== null) expect(used - going + additions).toBeGreaterThan(limit);
      },
    ),
  );
});
