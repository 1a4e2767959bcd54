import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Rule, type RuleSpec, ruleSchema } from '../../../providers/gcp/rule.ts';
import { snapshotOf } from '../../../providers/gcp/snapshot.ts';
import { refuseOpen, type Step, stepsOf } from '../../../providers/gcp/steps.ts';
import type { Change } from '../../../providers/provider.ts';
import { type Cidr, type Family, familyOf, toCidr } from '../../../src/cidr.ts';
import { US } from '../../provider-suite.ts';
import { changesFor, wantedOf } from '../../support/converge.ts';
import { ALLOWED, OURS, PROJECT, RULE, RULE_V6, SERVICES } from './fixture.ts';

const SPEC: RuleSpec = {
  identity: US,
  project: PROJECT,
  network: 'default',
  rule: RULE,
  services: SERVICES,
  priority: 1000,
  targetTags: [],
  targetServiceAccounts: [],
  adopt: true,
  repairDisabled: true,
};
const V4 = ['34.19.100.134', '35.230.127.150', '34.83.176.0/24', '52.10.20.30'].map(toCidr);
const V6 = ['2600:1900::/64', '2600:1901::1'].map(toCidr);

type Rules = ReadonlyMap<string, Rule>;

function ruleOf(name: string, fields: Record<string, unknown>): Rule {
  return ruleSchema.parse({ network: 'global/networks/default', allowed: ALLOWED, ...fields, name });
}

/** What the service makes of a step: PATCH sets what is not empty, PUT replaces, no sources are the world. */
function after(rules: Rules, step: Step): Rules {
  const result = new Map(rules);
  const before = rules.get(step.rule);
  if (step.action === 'delete') result.delete(step.rule);
  else if (step.action === 'insert') result.set(step.rule, ruleOf(step.rule, { ...step.fields }));
  else if (step.action === 'update') result.set(step.rule, ruleOf(step.rule, { ...before, ...step.fields }));
  else {
    const said = Object.entries(step.fields).filter(([, value]) => !Array.isArray(value) || value.length > 0);
    result.set(step.rule, ruleOf(step.rule, { ...before, ...Object.fromEntries(said) }));
  }
  return result;
}

function allows(rules: Rules): string[] {
  const { entries } = snapshotOf([...rules.values()], SPEC);
  return [...new Set(entries.map(({ cidr, ports }) => `${cidr} ${ports}`))].sort();
}

function isOf(rule: Rule | undefined, family: Family): boolean {
  return rule?.sourceRanges.some((cidr) => familyOf(toCidr(cidr)) === family) ?? false;
}

const tags = fc.subarray(['a', 'b']);
/** One of our rules as people may leave it: any ranges, also of the wrong family, any settings. */
const anyRule = fc.record({
  description: fc.constantFrom(OURS, OURS, 'by hand'),
  sourceRanges: fc.oneof(
    fc.subarray(V4, { minLength: 1 }),
    fc.subarray(V6, { minLength: 1 }),
    fc.constant<Cidr[]>([]),
  ),
  sourceTags: tags,
  targetTags: tags,
  priority: fc.constantFrom(1000, 5),
  disabled: fc.boolean(),
  allowed: fc.constantFrom(ALLOWED, [{ IPProtocol: 'all', ports: [] }]),
});
// Switching a rule on that is open to the world and not yet ours is refused: see below.
const leftRule = anyRule.filter(
  ({ description, sourceRanges, disabled }) => description === OURS || sourceRanges.length > 0 || !disabled,
);
const left = fc
  .record({ [RULE]: fc.option(leftRule), [RULE_V6]: fc.option(leftRule) })
  .map(
    (given): Rules =>
      new Map(
        Object.entries(given).flatMap(([name, fields]) => (fields ? [[name, ruleOf(name, fields)]] : [])),
      ),
  );

test('from anything that people leave behind, some passes end in the desired state, and then nothing is to do', () => {
  fc.assert(
    fc.property(left, fc.subarray([...V4, ...V6]), (given, cidrs) => {
      const wanted = wantedOf(cidrs, SERVICES);
      const desired = wanted.map(({ cidr, ports }) => `${cidr} ${ports}`).sort();
      const mixedUp = isOf(given.get(RULE), 'ipv6') && isOf(given.get(RULE_V6), 'ipv4');
      let rules = given;
      // Adopting marks first and takes away later; a rule for each family may then still change hands.
      for (let pass = 0; pass < 4; pass += 1) {
        const snapshot = snapshotOf([...rules.values()], SPEC);
        const changes = changesFor(wanted, snapshot, US);
        const before = allows(rules);
        for (const step of stepsOf(changes, snapshot, SPEC)) {
          if (step.action !== 'delete') refuseOpen(step.fields, step.rule);
          rules = after(rules, step);
          const stays = before.filter((key) => desired.includes(key));
          // Two rules that hold each other's family cannot change places without a moment of neither.
          if (!mixedUp) expect(allows(rules)).toEqual(expect.arrayContaining(stays));
        }
      }
      expect(allows(rules)).toEqual(desired);
      const snapshot = snapshotOf([...rules.values()], SPEC);
      expect(changesFor(wanted, snapshot, US)).toEqual([]);
      expect(stepsOf([], snapshot, SPEC)).toEqual([]);
      for (const rule of rules.values()) expect(isOf(rule, 'ipv4') && isOf(rule, 'ipv6')).toBe(false);
    }),
    { numRuns: 500 },
  );
});

test('no step is ever sent without source ranges where it could open a rule to the world', () => {
  fc.assert(
    fc.property(left, fc.subarray([...V4, ...V6]), (given, cidrs) => {
      const snapshot = snapshotOf([...given.values()], SPEC);
      const changes = changesFor(wantedOf(cidrs, SERVICES), snapshot, US);
      for (const step of stepsOf(changes, snapshot, SPEC)) {
        if (step.action === 'insert' || step.action === 'update')
          expect(step.fields.sourceRanges?.length).toBeGreaterThan(0);
        else if (step.action === 'patch') {
          const lists = Object.values(step.fields).filter(Array.isArray);
          for (const list of lists) expect(list).not.toEqual([]);
        }
      }
    }),
  );
});

function snapshot(...rules: [name: string, fields: Record<string, unknown>][]) {
  return snapshotOf(
    rules.map(([name, fields]) => ruleOf(name, { description: OURS, ...fields })),
    SPEC,
  );
}

function add(cidr: string): Change[] {
  return wantedOf([toCidr(cidr)], SERVICES).map((entry) => ({ action: 'add', entry }));
}

test('a patch carries only what changes, and the ranges whole', () => {
  const now = snapshot([RULE, { sourceRanges: ['52.10.20.30/32'], priority: 5 }]);
  expect(stepsOf(add('34.19.100.134'), now, SPEC)).toEqual([
    { action: 'patch', rule: RULE, fields: { sourceRanges: ['34.19.100.134/32', '52.10.20.30/32'] } },
  ]);
  const updates = changesFor([], now, US).filter(({ action }) => action === 'update');
  expect(stepsOf(updates, now, SPEC)).toEqual([{ action: 'patch', rule: RULE, fields: { priority: 1000 } }]);
});

test('a change of one family leaves the other family’s rule alone', () => {
  const now = snapshot(
    [RULE, { sourceRanges: ['52.10.20.30/32'] }],
    [RULE_V6, { sourceRanges: ['2600:1900::/64'] }],
  );
  expect(stepsOf(add('2600:1901::1'), now, SPEC).map(({ rule }) => rule)).toEqual([RULE_V6]);
  expect(stepsOf(add('34.19.100.134'), now, SPEC).map(({ rule }) => rule)).toEqual([RULE]);
});

test('a range goes only when it is to go for all services of the rule', () => {
  const now = snapshot([RULE, { sourceRanges: ['34.19.100.134/32', '52.10.20.30/32'] }]);
  const removals = now.entries
    .filter(({ cidr }) => cidr === '52.10.20.30/32')
    .map((entry): Change => ({ action: 'remove', entry }));
  expect(stepsOf(removals.slice(1), now, SPEC)).toEqual([]);
  expect(stepsOf(removals, now, SPEC)).toEqual([
    { action: 'patch', rule: RULE, fields: { sourceRanges: ['34.19.100.134/32'] } },
  ]);
});

test('a setting that the config leaves alone is left alone, whoever asks', () => {
  const now = snapshot([RULE, { sourceRanges: ['52.10.20.30/32'], disabled: true }]);
  const [setting] = now.settings.filter(({ field }) => field === 'disabled');
  if (!setting) throw new Error('the setting is missing');
  expect(stepsOf([{ action: 'update', setting: { ...setting, repair: false } }], now, SPEC)).toEqual([]);
});

test('a rule that holds the world is not switched on, and not widened, but what else is due is done', () => {
  const now = snapshot([RULE, { sourceRanges: ['0.0.0.0/0'], disabled: true, priority: 5 }]);
  const updates = changesFor([], now, US).filter(({ action }) => action === 'update');
  expect(() => stepsOf(updates, now, SPEC)).toThrow(expect.objectContaining({ code: 'write-refused' }));
  const withoutSwitch = updates.filter(
    (change) => change.action === 'update' && change.setting.field !== 'disabled',
  );
  expect(stepsOf([...withoutSwitch, ...add('34.19.100.134')], now, SPEC)).toMatchObject([
    { action: 'patch', fields: { priority: 1000, sourceRanges: ['0.0.0.0/0', '34.19.100.134/32'] } },
  ]);
  expect(() => stepsOf(add('34.0.0.0/7'), now, SPEC)).toThrow(
    expect.objectContaining({ code: 'write-refused' }),
  );
});

test('the last lock refuses an empty list of ranges', () => {
  expect(() => refuseOpen({ sourceRanges: [] }, RULE)).toThrow(
    expect.objectContaining({ code: 'write-refused' }),
  );
  refuseOpen({ priority: 5 }, RULE);
});

test('a rule that is to be made is not made too broad either', () => {
  for (const cidr of ['0.0.0.0/0', '34.0.0.0/7', '::/0', '2600::/15'])
    expect(() => stepsOf(add(cidr), snapshot(), SPEC)).toThrow(
      expect.objectContaining({ code: 'write-refused' }),
    );
});
