import { expect, test } from 'vitest';
import { type RuleSpec, ruleSchema } from '../../../providers/gcp/rule.ts';
import { snapshotOf } from '../../../providers/gcp/snapshot.ts';
import { US } from '../../provider-suite.ts';
import { OURS, PROJECT, RULE, RULE_V6, SERVICES } from './fixture.ts';

const SPEC: RuleSpec = {
  identity: US,
  project: PROJECT,
  network: 'default',
  rule: RULE,
  services: SERVICES,
  priority: 1000,
  targetTags: ['postgres', 'replica'],
  targetServiceAccounts: [],
  adopt: false,
  repairDisabled: false,
};

/** A rule as the service lists it: ours and in order, but for what `fields` say. */
function rule(fields: Record<string, unknown> = {}) {
  return ruleSchema.parse({
    name: RULE,
    network: `https://www.googleapis.com/compute/v1/projects/${PROJECT}/global/networks/default`,
    direction: 'INGRESS',
    description: OURS,
    priority: 1000,
    disabled: false,
    allowed: [{ IPProtocol: 'tcp', ports: ['5432', '6432-6439'] }],
    sourceRanges: ['34.19.100.134/32'],
    targetTags: ['postgres', 'replica'],
    ...fields,
  });
}

function read(rules: ReturnType<typeof rule>[], spec: Partial<RuleSpec> = {}) {
  return snapshotOf(rules, { ...SPEC, ...spec });
}

function drift(fields: Record<string, unknown>, spec: Partial<RuleSpec> = {}) {
  return read([rule(fields)], spec)
    .settings.filter(({ actual, desired }) => actual !== desired)
    .map(({ field, actual, desired, repair }) => [field, actual, desired, repair]);
}

test('a rule in order has its entries and nothing to do', () => {
  const { entries, settings, capacity, warnings, beside } = read([rule()]);
  expect(entries.map(({ cidr, ports, id }) => [cidr, ports, id])).toEqual([
    ['34.19.100.134/32', '5432', RULE],
    ['34.19.100.134/32', '6432-6439', RULE],
  ]);
  expect(settings.filter(({ actual, desired }) => actual !== desired)).toEqual([]);
  expect(capacity).toEqual([
    { scope: 'ipv4', used: 2, limit: 10_000 },
    { scope: 'ipv6', used: 0, limit: 10_000 },
  ]);
  expect([warnings, beside]).toEqual([[], []]);
});

test('the order of tags, the form of ports and numbers for protocols are no drift', () => {
  const allowed = [
    { IPProtocol: '6', ports: ['6436-6439'] },
    { IPProtocol: 'tcp', ports: ['6432-6437', '5432-5432'] },
  ];
  expect(drift({ targetTags: ['replica', 'postgres'], allowed })).toEqual([]);
});

test('both rules are read, each with its settings and its share of the capacity', () => {
  const { entries, settings, capacity } = read([
    rule(),
    rule({ name: RULE_V6, sourceRanges: ['2600:1900::/64', '2600:1901::1/128'] }),
  ]);
  expect(entries.filter(({ id }) => id === RULE_V6).map(({ cidr }) => cidr)).toEqual([
    ...['2600:1900::/64', '2600:1900::/64', '2600:1901::1/128', '2600:1901::1/128'],
  ]);
  expect(new Set(settings.map(({ id }) => id))).toEqual(new Set([RULE, RULE_V6]));
  expect(capacity.map(({ used }) => used)).toEqual([2, 4]);
});

test.each([
  ['a widened port', { allowed: [{ IPProtocol: 'tcp', ports: ['5000-6439'] }] }, 'allowed', 'tcp:5000-6439'],
  ['another protocol', { allowed: [{ IPProtocol: 'all' }] }, 'allowed', 'all'],
  ['a port taken out', { allowed: [{ IPProtocol: 'tcp', ports: ['5432'] }] }, 'allowed', 'tcp:5432'],
  ['another priority', { priority: 1 }, 'priority', '1'],
  ['a tag taken out', { targetTags: ['replica'] }, 'targetTags', 'replica'],
  ['all tags taken out', { targetTags: [] }, 'targetTags', '(none)'],
  ['a source tag', { sourceTags: ['bastion'] }, 'sourceTags', 'bastion'],
  ['a source account', { sourceServiceAccounts: ['a@b.c'] }, 'sourceServiceAccounts', 'a@b.c'],
  ['a target account', { targetServiceAccounts: ['a@b.c'] }, 'targetServiceAccounts', 'a@b.c'],
])('%s is a setting to repair', (_, fields, field, actual) => {
  expect(drift(fields)).toEqual([[field, actual, expect.any(String), true]]);
});

test('a disabled rule is drift and a warning, to be repaired only where the config says so', () => {
  expect(drift({ disabled: true })).toEqual([['disabled', 'true', 'false', false]]);
  expect(drift({ disabled: true }, { repairDisabled: true })).toEqual([['disabled', 'true', 'false', true]]);
  expect(read([rule({ disabled: true })]).warnings).toMatchObject([{ code: 'rule-disabled' }]);
});

test.each([
  ['is for outgoing traffic', { direction: 'EGRESS' }],
  ['denies', { denied: [{ IPProtocol: 'tcp' }], allowed: [] }],
  ['is of another network', { network: 'projects/p/global/networks/other' }],
  ['is limited to destinations', { destinationRanges: ['10.0.0.0/8'] }],
])('a rule of ours that %s is refused, and not repaired', (_, fields) => {
  expect(() => read([rule(fields)])).toThrow(expect.objectContaining({ code: 'object-differs' }));
  const unmarked = { ...fields, description: 'made by hand' };
  expect(() => read([rule(unmarked)], { adopt: true })).toThrow(
    expect.objectContaining({ code: 'object-differs' }),
  );
});

test('a rule of our name without the marker is read as not owned, saying how to take it over', () => {
  for (const description of [undefined, '', 'web', `${OURS} and more`, `x${OURS}`]) {
    const { unowned, entries } = read([rule({ description })]);
    expect(unowned).toMatchObject({ code: 'not-owned', hint: expect.stringContaining('"adopt": true') });
    expect(entries.every(({ marker }) => marker === null)).toBe(true);
  }
});

test('with adopt it is read as nobody’s, and to be marked', () => {
  const { entries } = read([rule({ description: 'by hand' })], { adopt: true });
  expect(entries.map(({ marker, description }) => [marker, description])).toEqual([
    [null, 'by hand'],
    [null, 'by hand'],
  ]);
  expect(drift({ description: 'by hand' }, { adopt: true })).toEqual([
    ['description', 'by hand', OURS, true],
  ]);
});

test("another owner's or target's rule is refused with adopt too", () => {
  for (const other of ['owner=else target=orders-db', 'owner=acme-prod target=other'])
    for (const adopt of [false, true])
      expect(() => read([rule({ description: `allowlist-sync/v1 ${other}` })], { adopt })).toThrow(
        expect.objectContaining({ code: 'not-owned', message: expect.stringContaining(other) }),
      );
});

test('a marker of a previous name is ours, and to be rewritten', () => {
  const description = 'allowlist-sync/v1 owner=acme-prod target=old';
  const identity = { ...US, previousNames: ['old'] };
  expect(drift({ description }, { identity })).toEqual([['description', description, OURS, true]]);
});

test('a source range that is none is no answer to conclude from', () => {
  expect(() => read([rule({ sourceRanges: ['34.19.100'] })])).toThrow(
    expect.objectContaining({ code: 'bad-answer' }),
  );
});

test('a rule that names no source lets the world in', () => {
  expect(read([rule({ sourceRanges: [] })]).entries.map(({ cidr }) => cidr)).toContain('0.0.0.0/0');
  expect(read([rule({ sourceRanges: [], sourceTags: ['a'] })]).entries).toEqual([]);
});

const other = (fields: Record<string, unknown>) => rule({ name: 'other', description: 'theirs', ...fields });

test.each([
  ['opens one of our ports', {}, ['5432', '6432-6439']],
  ['opens a range that meets ours', { allowed: [{ IPProtocol: '6', ports: ['5000-6000'] }] }, ['5000-6000']],
  ['opens all ports', { allowed: [{ IPProtocol: 'tcp' }] }, [null]],
  ['opens everything', { allowed: [{ IPProtocol: 'all' }] }, [null]],
  ['shares a tag', { targetTags: ['postgres', 'web'] }, ['5432', '6432-6439']],
  ['is for all instances', { targetTags: [] }, ['5432', '6432-6439']],
  [
    'is for instances by account',
    { targetTags: [], targetServiceAccounts: ['a@b.c'] },
    ['5432', '6432-6439'],
  ],
])('another rule is beside ours when it %s', (_, fields, ports) => {
  const { beside, entries } = read([rule(), other(fields)]);
  expect(beside.map((entry) => entry.ports)).toEqual(ports);
  expect(beside.every(({ id, marker }) => id === 'other' && marker === null)).toBe(true);
  expect(entries.every(({ id }) => id === RULE)).toBe(true);
});

test.each([
  ['opens other ports', { allowed: [{ IPProtocol: 'tcp', ports: ['22'] }] }],
  ['opens another protocol', { allowed: [{ IPProtocol: 'udp', ports: ['5432'] }] }],
  ['is for other tags', { targetTags: ['web'] }],
  ['is disabled', { disabled: true }],
  ['is for outgoing traffic', { direction: 'EGRESS', sourceRanges: [] }],
  ['denies', { allowed: [], denied: [{ IPProtocol: 'tcp' }] }],
  ['names instances as sources only', { sourceRanges: [], sourceTags: ['web'] }],
  ['is of another network', { network: 'global/networks/other' }],
])('another rule is not beside ours when it %s', (_, fields) => {
  expect(read([rule(), other(fields)]).beside).toEqual([]);
});

test('a rule for other accounts than ours is not beside it', () => {
  const accounts = { targetTags: [], targetServiceAccounts: ['a@b.c'] };
  const ours = { ...accounts, sourceServiceAccounts: [] };
  const elsewhere = other({ ...accounts, targetServiceAccounts: ['x@y.z'] });
  expect(read([rule(ours), elsewhere], accounts).beside).toEqual([]);
  expect(read([rule(ours), other(accounts)], accounts).beside).not.toEqual([]);
});

test('a rule beside that names no source at all is shown as open to the world', () => {
  expect(read([other({ sourceRanges: [] })]).beside.map(({ cidr }) => cidr)).toContain('0.0.0.0/0');
});
