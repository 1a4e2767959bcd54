import { expect, test } from 'vitest';
import type { Entry, Snapshot } from '../providers/provider.ts';
import { type PlanInput, planTarget } from '../src/plan.ts';
import { US } from './support/object.ts';
import { address, entry, HOUR, NOW, planInput, snapshot } from './support/plans.ts';

const A = entry('34.19.100.1/32');
const ALL = { protocol: 'all', ports: null };

function codes(
  entries: readonly Entry[],
  more: Partial<PlanInput> = {},
  seen: Partial<Snapshot> = {},
): string[] {
  const input = planInput([address(1)], [], { snapshot: snapshot([A, ...entries], seen), ...more });
  return planTarget(input).warnings.map(({ code }) => code);
}

test.each<[string, Entry, string[]]>([
  ['0.0.0.0/0 on a managed port', entry('0.0.0.0/0', null), ['open-to-world']],
  ['::/0 on a managed port', entry('::/0', null), ['open-to-world']],
  ['the world on all protocols', entry('0.0.0.0/0', null, ALL), ['open-to-world']],
  [
    'the world on a range of ports',
    entry('0.0.0.0/0', null, { protocol: 'tcp', ports: '1-65535' }),
    ['open-to-world'],
  ],
  ['the world with our own marker', entry('0.0.0.0/0', US), ['open-to-world']],
  ['the world on another port', entry('0.0.0.0/0', null, { protocol: 'tcp', ports: '443' }), []],
  ['a broader range', entry('34.19.0.0/16', null), ['covered']],
  ['all protocols for ours', entry('34.19.100.1/32', null, ALL), ['covered']],
  ['a range beside ours', entry('34.20.0.0/16', null), []],
  [
    'a target of ours that the config does not know',
    entry('34.99.0.1/32', { ...US, target: 'gone' }),
    ['orphaned'],
  ],
  ['a target of ours that it knows', entry('34.99.0.1/32', { ...US, target: 'known' }), []],
  ['the same name of another owner', entry('34.99.0.1/32', { owner: 'other', target: 'gone' }), []],
])('%s', (_, other, expected) => {
  expect(codes([other], { knownTargets: new Set(['orders', 'known']) })).toEqual(expected);
});

test('what is beside the object warns and satisfies nothing', () => {
  const beside = [entry('0.0.0.0/0', null), entry('34.19.100.2/32', null)];
  const plan = planTarget(planInput([address(1), address(2)], [], { snapshot: snapshot([A], { beside }) }));
  expect(plan.warnings.map(({ code }) => code)).toEqual(['open-to-world']);
  expect(plan.changes.map(({ key }) => key)).toEqual(['add 34.19.100.2/32 tcp 5432']);
});

test('an identical entry of somebody else is told as satisfying', () => {
  const input = planInput([address(1), address(2)], [A, entry('34.19.100.2/32', null)]);
  expect(planTarget(input).warnings).toMatchObject([{ code: 'satisfied-by-unowned' }]);
});

test('an address that left the list and is open through somebody else’s entry is stale', () => {
  const clocks = new Map([[address(9), { since: NOW - HOUR, sightings: 1, approved: false, listed: true }]]);
  expect(codes([entry('34.19.100.9/32', null)], { clocks })).toEqual(['stale-unmanaged']);
  expect(codes([entry('34.19.100.9/32', null)])).toEqual([]);
});

test('removals that a missing list defers are told, and what the provider says comes along', () => {
  const list = { cidrs: [address(1)], fresh: false };
  const warnings = [{ code: 'note' as const, detail: 'said by the provider' }];
  expect(codes([entry('34.99.0.1/32')], { list }, { warnings })).toEqual(['note', 'removals-deferred']);
});
