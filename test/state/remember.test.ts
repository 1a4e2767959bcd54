import { describe, expect, test } from 'vitest';
import type { Entry } from '../../providers/provider.ts';
import type { Applied } from '../../src/apply.ts';
import type { Cidr } from '../../src/cidr.ts';
import { contestedKeys } from '../../src/drift.ts';
import { listIdOf } from '../../src/guards/ruling.ts';
import { EMPTY_STATE, rememberList, rememberTarget } from '../../src/state/remember.ts';
import { type State, stateSchema } from '../../src/state/state.ts';
import { TCP, US } from '../support/object.ts';
import {
  address,
  entry,
  guarded,
  HOUR,
  memory,
  NOW,
  planInput,
  planTargetOf,
  snapshot,
} from '../support/plans.ts';

const A = entry('34.19.100.1/32', US, TCP, 'sgr-a');
const B = entry('34.19.100.2/32', US, TCP, 'sgr-b');
const TARGET = planTargetOf();
const DAY = 24 * HOUR;

/** A run that planned from `seen`, did everything and left `left` behind. */
function applied(
  list: readonly Cidr[],
  seen: readonly Entry[],
  left: readonly Entry[],
  before = memory(seen),
): Applied {
  const plan = guarded({ ...planInput(list, seen, { memory: before }), target: TARGET });
  const keys = new Set(plan.changes.map(({ key }) => key));
  return { changes: plan.changes, done: keys, written: keys, plan, snapshot: snapshot(left), unproven: [] };
}

const keysOf = (entries: readonly { key: string }[]) => entries.map(({ key }) => key);

describe('of a target is remembered', () => {
  test('what is ours, by its id, and when we wrote it', () => {
    const { entries } = rememberTarget(
      TARGET,
      applied([address(1), address(2)], [A], [A, B]),
      memory([A]),
      NOW,
    );
    expect(entries).toEqual([
      { key: '34.19.100.1/32 tcp 5432', cidr: address(1), id: 'sgr-a', writtenAt: NOW - HOUR },
      { key: '34.19.100.2/32 tcp 5432', cidr: address(2), id: 'sgr-b', writtenAt: NOW },
    ]);
  });

  test('nothing of somebody else’s, and nothing that was removed', () => {
    const other = entry('34.99.0.1/32', null);
    const run = applied([address(1)], [A, B, other], [A, B, other], memory([A, B]));
    const after = rememberTarget(TARGET, run, memory([A, B]), NOW);
    expect(keysOf(after.entries)).toEqual(['34.19.100.1/32 tcp 5432']);
    expect(after.removed).toEqual([{ key: '34.19.100.2/32 tcp 5432', at: NOW }]);
  });

  test('a removal for five minutes', () => {
    const removed = [
      { key: 'late', at: NOW - 4 * 60_000 },
      { key: 'old', at: NOW - 5 * 60_000 },
      { key: 'future', at: NOW + 1 },
    ];
    const before = memory([A], { removed });
    expect(keysOf(rememberTarget(TARGET, applied([address(1)], [A], [A]), before, NOW).removed)).toEqual([
      'late',
    ]);
  });

  test('what somebody took away and nobody put back, so that it keeps its cause', () => {
    const run = {
      ...applied([address(1), address(2)], [A], [A], memory([A, B])),
      done: new Set(''),
      written: new Set(''),
    };
    expect(keysOf(rememberTarget(TARGET, run, memory([A, B]), NOW).entries)).toHaveLength(2);
  });

  test('nothing that a hand added, so that it keeps its cause; without memory all that carries our marker', () => {
    const stranger = entry('34.99.0.1/32', US, TCP, 'sgr-x');
    const run = {
      ...applied([address(1)], [A, stranger], [A, stranger], memory([A])),
      done: new Set(''),
      written: new Set(''),
    };
    expect(keysOf(rememberTarget(TARGET, run, memory([A]), NOW).entries)).toEqual([
      '34.19.100.1/32 tcp 5432',
    ]);
    expect(keysOf(rememberTarget(TARGET, run, undefined, NOW).entries)).toHaveLength(2);
  });

  test('when an entry was put back after a hand took it, for a day, and only where we wrote it', () => {
    const put = (at: number) => ({ key: '34.19.100.2/32 tcp 5432', at });
    const before = memory([A, B], { putBack: [put(NOW - DAY), put(NOW - HOUR), put(NOW + HOUR)] });
    const run = applied([address(1), address(2)], [A], [A, B], memory([A, B]));
    expect(rememberTarget(TARGET, run, before, NOW).putBack).toEqual([put(NOW - HOUR), put(NOW)]);
    const raced = { ...run, written: new Set('') };
    expect(rememberTarget(TARGET, raced, before, NOW).putBack).toEqual([put(NOW - HOUR)]);
  });

  test('nothing of another object under the same name', () => {
    const before = memory([B], { object: 'group sg-2', extras: [address(9)], leftovers: ['x'] });
    const after = rememberTarget(TARGET, applied([address(1)], [A], [A]), before, NOW);
    expect(after).toMatchObject({ object: 'group sg-1', extras: [], leftovers: [] });
    expect(keysOf(after.entries)).toEqual(['34.19.100.1/32 tcp 5432']);
  });
});

test('an entry is contested from the third time that it was put back within a day', () => {
  const put = (at: number) => ({ key: 'k', at });
  const two = [put(NOW - 1), put(NOW - HOUR), put(NOW - DAY), put(NOW + 1)];
  expect(contestedKeys(memory([], { putBack: two }), NOW)).toEqual([]);
  expect(contestedKeys(memory([], { putBack: [...two, put(NOW)] }), NOW)).toEqual(['k']);
});

describe('of the list is remembered', () => {
  const ruling = (cidrs: readonly Cidr[], more = {}) => ({
    verdict: 'accepted' as const,
    candidate: cidrs,
    listId: listIdOf(cidrs),
    approved: false,
    inForce: cidrs,
    fresh: true,
    complete: true,
    findings: [],
    notes: [],
    added: [],
    removed: [],
    ...more,
  });
  const stateAfter = (...steps: [number, ReturnType<typeof ruling>][]): State => {
    let state = EMPTY_STATE;
    for (const [days, one] of steps)
      state = Object.assign({ ...state }, rememberList(state, one, NOW + days * DAY));
    return state;
  };
  const lengths = ({ recent }: State) => recent.map(({ cidrs }) => cidrs.length);
  const [one, two, three] = [[address(1)], [address(1), address(2)], [address(1), address(2), address(3)]];

  test('the accepted one, and those of the last seven days', () => {
    const state = stateAfter([0, ruling(three)], [3, ruling(two)], [8, ruling(one)]);
    expect(state.accepted?.cidrs).toEqual(one);
    expect(lengths(state)).toEqual([2, 1]);
  });

  test('a list as late as it was last seen', () => {
    expect(lengths(stateAfter([0, ruling(three)], [6, ruling(three)], [8, ruling(two)]))).toEqual([3, 2]);
  });

  test('after an approval nothing of before', () => {
    expect(lengths(stateAfter([0, ruling(three)], [1, ruling(one, { approved: true })]))).toEqual([1]);
  });

  test('nothing of a list that is held or refused', () => {
    const state = stateAfter([0, ruling(two)]);
    for (const verdict of ['held', 'refused', 'none'] as const)
      expect(rememberList(state, ruling(three, { verdict }), NOW)).toEqual({
        accepted: state.accepted,
        recent: state.recent,
      });
  });
});

test('a state of an earlier version, without what is new, is still read', () => {
  const { relaxed: _r, untold: _u, ...old } = EMPTY_STATE;
  expect(stateSchema.parse(old)).toEqual(EMPTY_STATE);
});
