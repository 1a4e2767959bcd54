import { z } from 'zod';
import { type Cidr, type Family, parseCidr, sortCidrs, toCidr } from '../../src/cidr.ts';
import { FatalError } from '../../src/errors.ts';
import {
  formatMarker,
  type Identity,
  isOurs,
  markerOf,
  parseMarker,
  type Service,
  type Setting,
} from '../provider.ts';
import { servicesOfItems, servicesText } from './ports.ts';

const texts = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? []);
const items = z
  .array(z.object({ IPProtocol: z.string().min(1), ports: texts }))
  .nullish()
  .transform((list) => list ?? []);

/**
 * The fields of a rule that matter here.
 * https://cloud.google.com/compute/docs/reference/rest/v1/firewalls
 */
export const ruleSchema = z.object({
  name: z.string().min(1),
  network: z.string().min(1),
  direction: z.string().nullish(),
  description: z.string().nullish(),
  priority: z.number().nullish(),
  disabled: z.boolean().nullish(),
  allowed: items,
  denied: items,
  sourceRanges: texts,
  destinationRanges: texts,
  sourceTags: texts,
  targetTags: texts,
  sourceServiceAccounts: texts,
  targetServiceAccounts: texts,
});

export type Rule = z.output<typeof ruleSchema>;

/** What both rules of a target should be, ranges apart. */
export interface RuleSpec {
  readonly identity: Identity;
  readonly project: string;
  /** The network's name, in `project`. */
  readonly network: string;
  /** The name of the IPv4 rule. */
  readonly rule: string;
  readonly services: readonly Service[];
  readonly priority: number;
  readonly targetTags: readonly string[];
  readonly targetServiceAccounts: readonly string[];
  readonly adopt: boolean;
  readonly repairDisabled: boolean;
}

export const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];

/** A rule holds one family: `<rule>` and `<rule>-v6`. https://cloud.google.com/firewall/docs/firewalls#specifications */
export function ruleName(spec: Pick<RuleSpec, 'rule'>, family: Family): string {
  return family === 'ipv4' ? spec.rule : `${spec.rule}-v6`;
}

export function isOurName(spec: Pick<RuleSpec, 'rule'>, name: string): boolean {
  return FAMILIES.some((family) => ruleName(spec, family) === name);
}

/** The network's name at the end of its URL; full, partial and bare forms are in use. */
export function networkName(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1);
}

/**
 * What the rule lets in. One that names no source at all lets everybody in, which is how the API shows rules that
 * were made so. Throws `bad-answer` for a range that is none.
 */
export function rangesOf(rule: Rule): Cidr[] {
  const open = [rule.sourceRanges, rule.sourceTags, rule.sourceServiceAccounts].every(
    (list) => list.length === 0,
  );
  if (open) return [WORLD];
  return sortCidrs(
    rule.sourceRanges.map((text) => {
      const parsed = parseCidr(text);
      if (parsed.ok) return parsed.cidr;
      throw new FatalError(
        'bad-answer',
        `rule ${rule.name} has the source range «${text}»: ${parsed.reason}`,
      );
    }),
  );
}

const WORLD = toCidr('0.0.0.0/0');

/**
 * Throws `not-owned` for a rule of our name that is marked as somebody else's, `object-differs` for one of another
 * kind. Gives the error for one without any marker: only the core can tell whether it was ours.
 */
export function checkOurs(rule: Rule, spec: RuleSpec): FatalError | undefined {
  const object = `projects/${spec.project}/global/firewalls/${rule.name}`;
  const marker = parseMarker(rule.description);
  if (marker && !isOurs(marker, spec.identity)) {
    throw new FatalError('not-owned', `${object} belongs to ${formatMarker(marker)}`, {
      hint: 'Choose another `rule`. After a rename of the target, list its old name in `previousNames`.',
    });
  }
  if (!marker && !spec.adopt) {
    return new FatalError('not-owned', `${object} exists and carries no marker of this tool`, {
      hint: 'Choose another `rule`, or take this one over with `"adopt": true`.',
    });
  }
  const difference = differenceOf(rule, spec);
  if (difference) throw new FatalError('object-differs', `${object} ${difference}`);
  return undefined;
}

/** What no patch of ours would put right; finishes the sentence "the rule …". */
function differenceOf(rule: Rule, spec: RuleSpec): string | undefined {
  if ((rule.direction ?? 'INGRESS') !== 'INGRESS') return `is a rule for ${rule.direction} traffic`;
  if (networkName(rule.network) !== spec.network)
    return `is of network ${networkName(rule.network)}, not of ${spec.network}`;
  if (rule.denied.length > 0) return 'is a deny rule';
  if (rule.destinationRanges.length > 0)
    return `is limited to destinations (${rule.destinationRanges.join(', ')})`;
  return undefined;
}

/** The settings of one of our rules: what it has and what it should have, in one form for both. */
export function settingsOf(rule: Rule, spec: RuleSpec): Setting[] {
  const setting = (field: SettingField, actual: string, desired: string, repair = true): Setting => ({
    field,
    actual,
    desired,
    repair,
    id: rule.name,
  });
  return [
    setting('description', rule.description ?? '', formatMarker(markerOf(spec.identity))),
    setting('allowed', servicesText(servicesOfItems(rule.allowed)), servicesText(spec.services)),
    setting('priority', String(rule.priority ?? DEFAULT_PRIORITY), String(spec.priority)),
    setting('targetTags', listText(rule.targetTags), listText(spec.targetTags)),
    setting(
      'targetServiceAccounts',
      listText(rule.targetServiceAccounts),
      listText(spec.targetServiceAccounts),
    ),
    // Sources are OR-ed: a tag beside the ranges lets instances in that no list names.
    setting('sourceTags', listText(rule.sourceTags), NONE),
    setting('sourceServiceAccounts', listText(rule.sourceServiceAccounts), NONE),
    setting('disabled', String(rule.disabled ?? false), 'false', spec.repairDisabled),
  ];
}

export const SETTING_FIELDS = [
  'description',
  'allowed',
  'priority',
  'targetTags',
  'targetServiceAccounts',
  'sourceTags',
  'sourceServiceAccounts',
  'disabled',
] as const;

export type SettingField = (typeof SETTING_FIELDS)[number];

/** Of rules that were made without one. */
const DEFAULT_PRIORITY = 1000;

/** No tag or account is called this. */
const NONE = '(none)';

function listText(list: readonly string[]): string {
  return list.length === 0 ? NONE : [...new Set(list)].sort().join(', ');
}
