import type { Cidr, Family } from '../../src/cidr.ts';
import {
  type Capacity,
  type Entry,
  parseMarker,
  type Service,
  type Snapshot,
  type SnapshotWarning,
  servicesMeet,
} from '../provider.ts';
import { servicesOfItems } from './ports.ts';
import {
  checkOurs,
  FAMILIES,
  isOurName,
  networkName,
  type Rule,
  type RuleSpec,
  rangesOf,
  ruleName,
  settingsOf,
} from './rule.ts';

/**
 * Source ranges of one VPC firewall rule. https://cloud.google.com/firewall/docs/quotas#limits
 */
const MOST_RANGES = 5000;

/**
 * What a listing of the network's rules says about our target. Throws `not-owned` (marked as somebody else's),
 * `object-differs` and `bad-answer`.
 */
export function snapshotOf(rules: readonly Rule[], spec: RuleSpec): Snapshot {
  const ours = rules.filter((rule) => isOurName(spec, rule.name));
  const [unowned] = ours.flatMap((rule) => checkOurs(rule, spec) ?? []);
  return {
    ...(unowned && { unowned }),
    entries: ours.flatMap((rule) => entriesOf(rule, rangesOf(rule), spec.services)),
    beside: rules.flatMap((rule) => besideOf(rule, spec)),
    settings: ours.flatMap((rule) => settingsOf(rule, spec)),
    capacity: FAMILIES.map((family) => capacityOf(family, ours, spec)),
    warnings: ours.flatMap((rule): SnapshotWarning[] =>
      rule.disabled ? [{ code: 'rule-disabled', detail: disabledText(rule, spec) }] : [],
    ),
  };
}

/**
 * A rule of ours is taken to open what the target should open; where it does not, its setting `allowed` says so. So
 * a widened port is one thing to repair, and not as many entries as there are addresses.
 */
function entriesOf(rule: Rule, ranges: readonly Cidr[], services: readonly Service[]): Entry[] {
  const marker = parseMarker(rule.description);
  const description = rule.description ?? '';
  return ranges.flatMap((cidr) =>
    services.map(({ protocol, ports }) => ({ cidr, protocol, ports, marker, id: rule.name, description })),
  );
}

/** What another rule opens of our ports, towards instances that may be ours. */
function besideOf(rule: Rule, spec: RuleSpec): Entry[] {
  const other =
    !isOurName(spec, rule.name) &&
    !rule.disabled &&
    (rule.direction ?? 'INGRESS') === 'INGRESS' &&
    networkName(rule.network) === spec.network &&
    targetsMeet(rule, spec);
  if (!other) return [];
  const services = servicesOfItems(rule.allowed).filter((service) =>
    spec.services.some((wanted) => servicesMeet(service, wanted)),
  );
  return services.length === 0 ? [] : entriesOf(rule, rangesOf(rule), services);
}

/** Without tags a rule is for every instance; by service account it may be for any, which no listing of rules tells. */
function targetsMeet(rule: Rule, spec: RuleSpec): boolean {
  if (rule.targetServiceAccounts.length > 0 && spec.targetServiceAccounts.length > 0)
    return rule.targetServiceAccounts.some((account) => spec.targetServiceAccounts.includes(account));
  if (rule.targetTags.length === 0 || spec.targetTags.length === 0) return true;
  return rule.targetTags.some((tag) => spec.targetTags.includes(tag));
}

/** The service counts ranges; each is as many entries as there are services. */
function capacityOf(family: Family, ours: readonly Rule[], spec: RuleSpec): Capacity {
  const rule = ours.find(({ name }) => name === ruleName(spec, family));
  const used = rule ? rangesOf(rule).length : 0;
  return { scope: family, used: used * spec.services.length, limit: MOST_RANGES * spec.services.length };
}

function disabledText(rule: Rule, spec: RuleSpec): string {
  const next = spec.repairDisabled
    ? '`repairDisabled` is set, so it is enabled again'
    : 'left so, since it may be an incident switch; enable it there, or set `"repairDisabled": true`';
  return `rule ${rule.name} is disabled and lets nobody in: ${next}`;
}
