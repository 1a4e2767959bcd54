import { describe, expect, test } from 'vitest';
import type { Entry } from '../providers/provider.ts';
import type { Drift } from '../src/drift.ts';
import { type PlanInput, planTarget } from '../src/plan.ts';
import { TCP, US } from './support/object.ts';
import {
  address,
  cidrs,
  entry,
  HOUR,
  memory,
  NOW,
  planInput,
  planTargetOf,
  snapshot,
} from './support/plans.ts';

const A = entry('34.19.100.1/32', US, TCP, 'sgr-a');
const B = entry('34.19.100.2/32', US, TCP, 'sgr-b');
const STRANGER = entry('34.99.0.1/32', US, TCP, 'sgr-x');
const MINUTE = 60_000;

function driftOf(entries: readonly Entry[], more: Partial<PlanInput> = {}): readonly Drift[] {
  return planTarget(planInput([address(1), address(2)], entries, more)).drift;
}

const causes = (drift: readonly Drift[]) => drift.map(({ cause }) => cause);

describe('an entry that is missing', () => {
  test('of a target with nothing there is new', () => {
    expect(causes(driftOf([]))).toEqual(['new-target', 'new-target']);
  });

  test('without memory may be newly published for all that is known', () => {
    expect(causes(driftOf([A]))).toEqual(['source-changed']);
  });

  test('and was left there by the last run was removed by hand', () => {
    expect(driftOf([A], { memory: memory([A, B]) })).toEqual([
      {
        cause: 'removed-by-hand',
        cidr: address(2),
        detail: '34.19.100.2/32 tcp 5432 is gone',
        settling: false,
      },
    ]);
  });

  test.each([
    [4 * MINUTE, true],
    [5 * MINUTE, false],
    [-MINUTE, false],
  ])('%d ms after we wrote it: is it only late?', (ago, settling) => {
    const remembered = memory([A, B]);
    const entries = remembered.entries.map((one) => ({ ...one, writtenAt: NOW - ago }));
    expect(driftOf([A], { memory: { ...remembered, entries } })).toMatchObject([{ settling }]);
  });

  test('and was not published before is newly published, or new in extraCidrs', () => {
    expect(causes(driftOf([A], { memory: memory([A]) }))).toEqual(['source-changed']);
    const target = planTargetOf({ extraCidrs: cidrs('198.100.0.1/32') });
    expect(causes(driftOf([A, B], { memory: memory([A, B]), target }))).toEqual(['config-changed']);
  });

  test('on a port that is new in the config is a change of the config', () => {
    const target = planTargetOf({
      description: { object: 'group sg-1', services: [TCP, { protocol: 'tcp', ports: '6432' }] },
    });
    expect(causes(driftOf([A, B], { memory: memory([A, B]), target }))).toEqual([
      'config-changed',
      'config-changed',
    ]);
  });

  test('of another object is new: what is remembered of the old one counts for nothing', () => {
    expect(causes(driftOf([], { memory: memory([A, B], { object: 'group sg-2' }) }))).toEqual([
      'new-target',
      'new-target',
    ]);
  });

  test('and was satisfied by somebody else’s entry before was removed by hand', () => {
    const remembered = memory([A], { desired: [address(1), address(2)] });
    expect(driftOf([A], { memory: remembered })).toMatchObject([{ cause: 'removed-by-hand' }]);
  });

  test.each([
    [1, 'removed-by-hand'],
    [2, 'contested'],
  ])('and was put back %d times within a day is %s', (times, cause) => {
    const put = (at: number) => ({ key: '34.19.100.2/32 tcp 5432', at });
    const putBack = [
      ...Array.from({ length: times }, (_, n) => put(NOW - n * HOUR)),
      put(NOW - 25 * HOUR),
      put(NOW + HOUR),
    ];
    expect(driftOf([A], { memory: memory([A, B], { putBack }) })).toMatchObject([{ cause, settling: false }]);
  });
});

describe('an entry with our marker that is not desired', () => {
  test('and has the id of one that is gone was edited; both are told', () => {
    const edited = entry('34.99.0.1/32', US, TCP, 'sgr-b');
    const drift = driftOf([A, edited], { memory: memory([A, B]) });
    expect(causes(drift)).toEqual(['edited-by-hand', 'edited-by-hand']);
    expect(drift[0]?.detail).toBe('34.19.100.2/32 tcp 5432 was edited to 34.99.0.1/32 tcp 5432 (sgr-b)');
  });

  test('and shares its id with many, as ranges of a GCP rule do, was added', () => {
    const rule = (cidr: string) => entry(cidr, US, TCP, 'the-rule');
    const [a, b] = [rule('34.19.100.1/32'), rule('34.19.100.2/32')];
    expect(causes(driftOf([a, rule('34.99.0.1/32')], { memory: memory([a, b]) }))).toEqual([
      'removed-by-hand',
      'added-by-hand',
    ]);
  });

  test('and was never ours was added by hand', () => {
    expect(causes(driftOf([A, B, STRANGER], { memory: memory([A, B]) }))).toEqual(['added-by-hand']);
  });

  test('and was removed by us minutes ago may only be shown late', () => {
    const removed = [{ key: '34.99.0.1/32 tcp 5432', at: NOW - 2 * MINUTE }];
    expect(driftOf([A, B, STRANGER], { memory: memory([A, B], { removed }) })).toMatchObject([
      { settling: true },
    ]);
  });

  test('and left the published list has that for its cause', () => {
    expect(causes(driftOf([A, B, STRANGER], { memory: memory([A, B, STRANGER]) }))).toEqual([
      'source-changed',
    ]);
  });

  test.each([
    ['left extraCidrs', {}, { extras: cidrs('34.99.0.1/32') }],
    [
      'is in excludeCidrs now',
      {
        target: planTargetOf({ excludeCidrs: cidrs('34.99.0.1/32') }),
        list: { cidrs: [address(1), address(2), ...cidrs('34.99.0.1/32')], fresh: true },
      },
      {},
    ],
  ])('and %s has the config for its cause', (words, more, remembered) => {
    const drift = driftOf([A, B, STRANGER], { ...more, memory: memory([A, B, STRANGER], remembered) });
    expect(drift).toMatchObject([{ cause: 'config-changed', detail: expect.stringContaining(words) }]);
  });

  test('on a port that left the config has the config for its cause; without memory, a hand', () => {
    const other = entry('34.19.100.1/32', US, { protocol: 'tcp', ports: '6432' }, 'sgr-o');
    expect(causes(driftOf([A, B, other], { memory: memory([A, B, other]) }))).toEqual(['config-changed']);
    expect(causes(driftOf([A, B, other]))).toEqual(['edited-by-hand']);
  });
});

test('an entry that is remembered as ours and carries our marker no more was edited', () => {
  const bare = { ...B, marker: null };
  const drift = driftOf([A, bare], { memory: memory([A, B]) });
  expect(drift).toMatchObject([
    { cause: 'edited-by-hand', detail: expect.stringContaining('"adopt": true') },
  ]);
  expect(driftOf([A, { ...bare, id: 'another' }], { memory: memory([A, B]) })).toEqual([]);
});

test('a setting differs by hand, or by the config where we remember to have wanted something else', () => {
  const settings = [{ field: 'priority', actual: '900', desired: '1000', repair: true, id: 'rule' }];
  const more = { snapshot: snapshot([A, B], { settings }) };
  const remembered = (desired: string) => memory([A, B], { settings: [{ field: 'priority', desired }] });
  expect(causes(driftOf([], { ...more, memory: remembered('1000') }))).toEqual(['edited-by-hand']);
  expect(causes(driftOf([], { ...more, memory: remembered('900') }))).toEqual(['config-changed']);
});

test.each([
  ['an undesired address on a managed port', entry('34.99.0.1/32', null), true],
  ['a broader range that covers ours', entry('34.0.0.0/8', null), true],
  ['the whole world', entry('0.0.0.0/0', null), true],
  ['all protocols', entry('34.99.0.1/32', null, { protocol: 'all', ports: null }), true],
  ['another owner', entry('34.99.0.1/32', { owner: 'other', target: 'orders' }), true],
  ['a port that nobody manages', entry('34.99.0.1/32', null, { protocol: 'tcp', ports: '22' }), false],
  ['a desired address', entry('34.19.100.1/32', null), false],
  ['another protocol', entry('34.99.0.1/32', null, { protocol: 'udp', ports: '5432' }), false],
])('foreign or nobody’s business: %s', (_, other, foreign) => {
  const entries = other.cidr === A.cidr ? [other, B] : [A, B, other];
  expect(causes(driftOf(entries, { memory: memory([A, B]) })).includes('foreign')).toBe(foreign);
});

test('what is named in extraCidrs is foreign no more', () => {
  const target = planTargetOf({ extraCidrs: cidrs('34.99.0.0/24') });
  const other = entry('34.99.0.1/32', null);
  const wide = entry('34.99.0.0/24', null);
  expect(driftOf([A, B, other, wide], { target })).toEqual([]);
});
