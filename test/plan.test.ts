import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Change, Entry, Marker } from '../providers/provider.ts';
import { type Cidr, toCidr } from '../src/cidr.ts';
import { entryKey } from '../src/entries.ts';
import { desiredCidrs, type Plan, planTarget } from '../src/plan.ts';
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

const UDP = { protocol: 'udp', ports: '6432-6439' };
const BOTH = planTargetOf({ description: { object: 'group sg-1', services: [TCP, UDP] } });

/** Few addresses, so that they meet. */
const someCidr = fc.integer({ min: 1, max: 12 }).map(address);
const someList = fc.uniqueArray(someCidr, { minLength: 1, maxLength: 8 });
const someMarker = fc.constantFrom<(Marker | null)[]>(
  US,
  US,
  { ...US, target: 'orders-old' },
  null,
  { ...US, owner: 'other' },
  { ...US, target: 'other' },
);
const someEntries = fc
  .uniqueArray(fc.tuple(someCidr, someMarker, fc.constantFrom(TCP, UDP, { protocol: 'tcp', ports: '22' })), {
    selector: ([cidr, , service]) => `${cidr} ${service.ports}`,
    maxLength: 14,
  })
  .map((all) => all.map(([cidr, marker, service]) => entry(cidr, marker, service)));
const someInput = fc.record({ list: someList, entries: someEntries });

function applied(entries: readonly Entry[], changes: readonly Change[]): Entry[] {
  const removed = new Set(changes.flatMap((one) => (one.action === 'remove' ? [one.entry.id] : [])));
  const marked = new Set(changes.flatMap((one) => (one.action === 'mark' ? [one.entry.id] : [])));
  const added = changes.flatMap((one) =>
    one.action === 'add' ? [entry(one.entry.cidr, US, one.entry)] : [],
  );
  return [...entries, ...added]
    .filter(({ id }) => !removed.has(id))
    .map((one) => (marked.has(one.id) ? { ...one, marker: US } : one));
}

const changesOf = (plan: Plan) => plan.changes.map(({ change }) => change);
const actions = (plan: Plan) => plan.changes.map(({ key }) => key);

describe('whatever is there and whatever is published', () => {
  test('applying the plan gives the desired state, and planning again gives nothing', () => {
    fc.assert(
      fc.property(someInput, ({ list, entries }) => {
        const plan = planTarget(planInput(list, entries, { target: BOTH }));
        const after = applied(entries, changesOf(plan));
        const keys = after.map(entryKey);
        for (const cidr of list)
          for (const service of [TCP, UDP]) expect(keys).toContain(entryKey({ cidr, ...service }));
        const again = planTarget(planInput(list, after, { target: BOTH }));
        expect(again.changes).toEqual([]);
        expect(
          after
            .filter(({ marker }) => marker?.owner === 'acme' && marker.target !== 'other')
            .map(({ cidr }) => cidr),
        ).toSatisfy((left: Cidr[]) => left.every((cidr) => list.includes(cidr)));
      }),
    );
  });

  test('nothing that is not ours is touched', () => {
    fc.assert(
      fc.property(someInput, ({ list, entries }) => {
        const plan = planTarget(planInput(list, entries, { target: BOTH }));
        const ours = new Set(['orders', 'orders-old']);
        for (const change of changesOf(plan))
          if (change.action === 'remove' || change.action === 'mark') {
            expect(change.entry.marker?.owner).toBe('acme');
            expect(ours).toContain(change.entry.marker?.target);
          }
      }),
    );
  });

  test('no address that is desired loses an entry that the config names', () => {
    fc.assert(
      fc.property(someInput, someList, fc.boolean(), ({ list, entries }, extraCidrs, fresh) => {
        const target = { ...BOTH, extraCidrs };
        const plan = planTarget({ ...planInput(list, entries, { target }), list: { cidrs: list, fresh } });
        const wanted = new Set(
          plan.desired.flatMap((cidr) => [TCP, UDP].map((one) => entryKey({ cidr, ...one }))),
        );
        for (const change of changesOf(plan))
          if (change.action === 'remove') expect(wanted).not.toContain(entryKey(change.entry));
      }),
    );
  });

  test('the order of entries and addresses does not matter: same id, same changes', () => {
    fc.assert(
      fc.property(
        someInput.chain(({ list, entries }) =>
          fc.record({
            a: fc.constant({ list, entries }),
            list: fc.shuffledSubarray(list, { minLength: list.length }),
            entries: fc.shuffledSubarray(entries, { minLength: entries.length }),
          }),
        ),
        ({ a, list, entries }) => {
          const one = planTarget(planInput(a.list, a.entries, { target: BOTH }));
          const other = planTarget(planInput(list, entries, { target: BOTH, now: NOW + HOUR }));
          expect(other.id).toBe(one.id);
          expect(new Set(actions(other))).toEqual(new Set(actions(one)));
        },
      ),
    );
  });

  test('a list that not all sources agree on removes nothing', () => {
    fc.assert(
      fc.property(someInput, fc.option(fc.constant(memory([]))), ({ list, entries }, memory) => {
        const input = planInput(list, entries, { target: BOTH, memory: memory ?? undefined });
        const plan = planTarget({ ...input, list: { cidrs: list, fresh: false } });
        expect(changesOf(plan).filter(({ action }) => action === 'remove')).toEqual([]);
      }),
    );
  });
});

const DAY = 24 * HOUR;
const gone = entry('34.19.100.2/32');

describe('an owned entry whose address left the list', () => {
  const input = (more: Parameters<typeof planInput>[2]) =>
    planInput([address(1)], [entry('34.19.100.1/32'), gone], { removalDelay: DAY, ...more });
  const clock = (since: number, sightings: number) =>
    new Map([[address(2), { since, sightings, approved: false, listed: true }]]);

  test.each([
    ['without a clock', new Map(), NOW + DAY],
    ['before the delay', clock(NOW - DAY + 1, 9), NOW + 1],
    ['after the delay, seen missing once', clock(NOW - DAY, 1), NOW],
    ['with a clock from the future', clock(NOW + HOUR, 9), NOW + DAY],
  ])('%s waits', (_, clocks, removeAfter) => {
    const plan = planTarget(input({ clocks }));
    expect(plan).toMatchObject({ changes: [], drift: [], pending: [{ entry: gone, removeAfter }] });
  });

  test('after the delay, seen missing twice, goes', () => {
    expect(actions(planTarget(input({ clocks: clock(NOW - DAY, 2) })))).toEqual([
      'remove 34.19.100.2/32 tcp 5432',
    ]);
  });

  test('while a source is silent is still shown as pending, with its time', () => {
    const plan = planTarget({
      ...input({ clocks: clock(NOW - HOUR, 2) }),
      list: { cidrs: [address(1)], fresh: false },
    });
    expect(plan.pending).toMatchObject([{ removeAfter: NOW + 23 * HOUR }]);
    expect(plan.drift).toEqual([]);
  });

  test('and was never listed as far as is remembered goes at once: a hand added it', () => {
    const plan = planTarget(input({ memory: memory([entry('34.19.100.1/32')]) }));
    expect(plan).toMatchObject({ changes: [{ cause: 'added-by-hand' }], pending: [] });
  });

  test('and is not remembered but was listed lately waits: a run that was killed may have made it', () => {
    const plan = planTarget(
      input({ memory: memory([entry('34.19.100.1/32')]), everListed: new Set(cidrs('34.19.100.2/32')) }),
    );
    expect(plan).toMatchObject({ changes: [], pending: [{}] });
  });
});

test('desired is what is published but not excluded, and what is extra, sorted', () => {
  const target = {
    excludeCidrs: cidrs('34.19.100.0/30'),
    extraCidrs: cidrs('198.100.0.0/24', '34.19.100.9/32'),
  };
  const list = cidrs('34.19.100.9/32', '34.19.100.1/32', '34.19.100.8/32');
  expect(desiredCidrs(target, list)).toEqual(['34.19.100.8/32', '34.19.100.9/32', '198.100.0.0/24']);
});

test('ids differ by name, object and changes', () => {
  const ids = [
    planInput([address(1)], []),
    planInput([address(2)], []),
    planInput([address(1)], [], { target: planTargetOf({ name: 'x' }) }),
    planInput([address(1)], [], { target: planTargetOf({ description: { object: 'y', services: [TCP] } }) }),
  ].map((input) => planTarget(input).id);
  expect(new Set(ids).size).toBe(4);
  for (const id of ids) expect(id).toMatch(/^plan-[0-9a-f]{12}$/);
});

test('settings that differ are updated, but for those that are only reported', () => {
  const settings = [
    { field: 'priority', actual: '900', desired: '1000', repair: true, id: 'rule' },
    { field: 'disabled', actual: 'true', desired: 'false', repair: false, id: 'rule' },
    { field: 'tags', actual: 'a', desired: 'a', repair: true, id: 'rule' },
  ];
  const plan = planTarget(
    planInput([address(1)], [], { snapshot: snapshot([entry('34.19.100.1/32')], { settings }) }),
  );
  expect(actions(plan)).toEqual(['update rule priority 900 -> 1000']);
  expect(plan.drift.map(({ detail }) => detail)).toEqual([
    'priority of rule is 900, not 1000',
    'disabled of rule is true, not false',
  ]);
});

test('an identical entry of somebody else is marked only to adopt it, one of a previous name always', () => {
  const entries = [
    entry('34.19.100.1/32', null),
    entry('34.19.100.2/32', { ...US, target: 'orders-old' }),
    entry('34.19.100.3/32', { ...US, owner: 'other' }),
  ];
  const list = entries.map(({ cidr }) => cidr);
  expect(actions(planTarget(planInput(list, entries)))).toEqual(['mark 34.19.100.2/32 tcp 5432']);
  expect(actions(planTarget(planInput(list, entries, { target: planTargetOf({ adopt: true }) })))).toEqual([
    'mark 34.19.100.1/32 tcp 5432',
    'mark 34.19.100.2/32 tcp 5432',
  ]);
});

test('only an exact entry satisfies: neither a broader one nor one for all protocols', () => {
  const entries = [
    entry('34.19.0.0/16', null),
    entry('34.19.100.1/32', null, { protocol: 'all', ports: null }),
    entry('34.19.100.1/32', null, { protocol: 'tcp', ports: '5000-6000' }),
    entry('134.19.100.1/32', null),
  ];
  expect(actions(planTarget(planInput([toCidr('34.19.100.1/32')], entries)))).toEqual([
    'add 34.19.100.1/32 tcp 5432',
  ]);
});
