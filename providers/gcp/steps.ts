import { type Cidr, type Family, familyOf, isWorld, sortCidrs } from '../../src/cidr.ts';
import { FatalError } from '../../src/errors.ts';
import {
  type Change,
  type Entry,
  formatMarker,
  isOurs,
  markerOf,
  parseMarker,
  refuseTooBroad,
  type Snapshot,
} from '../provider.ts';
import { itemsOf } from './ports.ts';
import { FAMILIES, type RuleSpec, ruleName, SETTING_FIELDS, type SettingField } from './rule.ts';

/** Fields of a rule as the client takes them; only what is to be sent. */
export interface Fields {
  name?: string;
  description?: string;
  network?: string;
  direction?: 'INGRESS';
  priority?: number;
  disabled?: boolean;
  allowed?: { IPProtocol: string; ports: string[] }[];
  sourceRanges?: string[];
  sourceTags?: string[];
  sourceServiceAccounts?: string[];
  targetTags?: string[];
  targetServiceAccounts?: string[];
}

/** One write to one rule. */
export type Step =
  | { readonly action: 'insert' | 'patch'; readonly rule: string; readonly fields: Fields }
  /** A whole new resource made of a fresh one, for lists that must become empty, which no patch can say. */
  | {
      readonly action: 'update';
      readonly rule: string;
      readonly fields: Fields;
      /** What the rule held when this was planned. */
      readonly held: readonly Cidr[];
      readonly description: string;
    }
  | { readonly action: 'delete'; readonly rule: string };

/**
 * The writes that carry out `changes` on the rules of `snapshot`, additions before deletions. All is in the
 * snapshot: a rule exists when it has settings there. Throws `write-refused`.
 */
export function stepsOf(changes: readonly Change[], snapshot: Snapshot, spec: RuleSpec): Step[] {
  // A rule that somebody filled with the other family gives its ranges away only after they have a place.
  const first = snapshot.entries.some(({ id, cidr }) => id === spec.rule && familyOf(cidr) === 'ipv6')
    ? [...FAMILIES].reverse()
    : FAMILIES;
  const rank = { insert: 0, patch: 1, update: 1, delete: 2 };
  return first
    .flatMap((family) => stepFor(family, changes, snapshot, spec))
    .sort((a, b) => rank[a.action] - rank[b.action]);
}

function stepFor(family: Family, changes: readonly Change[], snapshot: Snapshot, spec: RuleSpec): Step[] {
  const rule = ruleName(spec, family);
  const object = `projects/${spec.project}/global/firewalls/${rule}`;
  const strays = straysFor(family, changes, snapshot, spec);
  if (!touches(changes, family, rule) && strays.length === 0) return [];
  const held = sortCidrs(snapshot.entries.filter(({ id }) => id === rule).map(({ cidr }) => cidr));
  const ranges = rangesAfter(family, rule, strays, changes, snapshot);
  const description = snapshot.settings.find(
    ({ id, field }) => id === rule && field === 'description',
  )?.actual;

  if (description === undefined) {
    if (ranges.length === 0) return [];
    refuseTooBroad(ranges, object);
    return [{ action: 'insert', rule, fields: { ...wholeRule(rule, spec), sourceRanges: ranges } }];
  }

  const settings = updatesOf(rule, changes);
  const sameRanges = ranges.length === held.length && ranges.every((cidr, index) => cidr === held[index]);
  if (sameRanges && settings.length === 0) return [];
  if (ranges.length === 0) {
    // Whoever's it was until now: it is marked first, and the next pass knows it as ours.
    if (!isOurs(parseMarker(description), spec.identity))
      return [{ action: 'patch', rule, fields: desiredValue('description', spec) }];
    return [{ action: 'delete', rule }];
  }
  // What is open already is no news, unless the rule that holds it was switched off.
  const opened = settings.includes('disabled') ? ranges : ranges.filter((cidr) => !held.includes(cidr));
  refuseTooBroad(opened, object);

  const fields: Fields = Object.assign({}, ...settings.map((field) => desiredValue(field, spec)));
  if (!sameRanges) fields.sourceRanges = ranges;
  const clears = Object.values(fields).some((value) => Array.isArray(value) && value.length === 0);
  if (!clears) return [{ action: 'patch', rule, fields }];
  return [{ action: 'update', rule, fields: { ...fields, sourceRanges: ranges }, held, description }];
}

function touches(changes: readonly Change[], family: Family, rule: string): boolean {
  return changes.some((change) => {
    if (change.action === 'update') return change.setting.id === rule;
    const { entry } = change;
    return familyOf(entry.cidr) === family || ('id' in entry && entry.id === rule);
  });
}

/** Ranges of this family in the other family's rule, when that one is about to be written without them. */
function straysFor(family: Family, changes: readonly Change[], snapshot: Snapshot, spec: RuleSpec): Entry[] {
  const other = family === 'ipv4' ? 'ipv6' : 'ipv4';
  const elsewhere = ruleName(spec, other);
  if (!touches(changes, other, elsewhere)) return [];
  return snapshot.entries.filter(
    ({ id, cidr }) => id === elsewhere && familyOf(cidr) === family && !isWorld(cidr),
  );
}

/**
 * The ranges of one rule once the changes are made. A range opens every service of the rule, so it goes only when it
 * is to go for all of them.
 */
function rangesAfter(
  family: Family,
  rule: string,
  strays: readonly Entry[],
  changes: readonly Change[],
  snapshot: Snapshot,
): Cidr[] {
  const key = ({ id, cidr, protocol, ports }: Entry) => `${id} ${cidr} ${protocol} ${ports}`;
  const removed = new Set(
    changes.flatMap((change) => (change.action === 'remove' ? [key(change.entry)] : [])),
  );
  const kept = [...snapshot.entries.filter(({ id }) => id === rule), ...strays].filter(
    (entry) => !removed.has(key(entry)),
  );
  const added = changes.flatMap((change) => (change.action === 'add' ? [change.entry] : []));
  return sortCidrs([...kept, ...added].map(({ cidr }) => cidr).filter((cidr) => familyOf(cidr) === family));
}

/** The settings of this rule to be brought to what they should be. */
function updatesOf(rule: string, changes: readonly Change[]): SettingField[] {
  const wanted = changes.flatMap((change) =>
    change.action === 'update' && change.setting.id === rule && change.setting.repair
      ? [change.setting.field]
      : [],
  );
  return SETTING_FIELDS.filter((field) => wanted.includes(field));
}

function desiredValue(field: SettingField, spec: RuleSpec): Fields {
  switch (field) {
    case 'description':
      return { description: formatMarker(markerOf(spec.identity)) };
    case 'allowed':
      return { allowed: itemsOf(spec.services) };
    case 'priority':
      return { priority: spec.priority };
    case 'targetTags':
      return { targetTags: [...spec.targetTags] };
    case 'targetServiceAccounts':
      return { targetServiceAccounts: [...spec.targetServiceAccounts] };
    case 'sourceTags':
      return { sourceTags: [] };
    case 'sourceServiceAccounts':
      return { sourceServiceAccounts: [] };
    case 'disabled':
      return { disabled: false };
  }
}

function wholeRule(name: string, spec: RuleSpec): Fields {
  return {
    name,
    network: `projects/${spec.project}/global/networks/${spec.network}`,
    direction: 'INGRESS',
    ...desiredValue('description', spec),
    ...desiredValue('allowed', spec),
    ...desiredValue('priority', spec),
    ...(spec.targetTags.length > 0 ? desiredValue('targetTags', spec) : {}),
    ...(spec.targetServiceAccounts.length > 0 ? desiredValue('targetServiceAccounts', spec) : {}),
  };
}

/** The last lock: an INGRESS rule that is sent without source ranges is open to the world. Throws `write-refused`. */
export function refuseOpen(fields: Fields, object: string): void {
  if (fields.sourceRanges?.length === 0)
    throw new FatalError(
      'write-refused',
      `no source ranges are left: an empty list is not written to ${object}`,
    );
}
