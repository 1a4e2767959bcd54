import type { CheckedPermission, Permission } from './permission.ts';
import { checkDescription, checkPermission, identityOf, inWords } from './permission.ts';
import { invalidValue, Rejection } from './rejection.ts';

/** A rule of a security group, flat as in DescribeSecurityGroupRules. */
export interface Rule extends CheckedPermission {
  readonly id: string;
  readonly groupId: string;
  readonly isEgress: boolean;
}

export interface Group {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly vpcId: string;
}

/** A prefix list that rules may refer to; it weighs `maxEntries` in the quota of its family. */
export interface PrefixList {
  readonly id: string;
  readonly family: 'ipv4' | 'ipv6';
  readonly maxEntries: number;
}

/** Everything that is there. Never changed: each action gives a new one or refuses, so every batch is atomic. */
export interface World {
  readonly groups: readonly Group[];
  readonly rules: readonly Rule[];
  /** How many ids were given out; the next one is made from it. */
  readonly issued: number;
  /** Inbound rules a group may have in each family. */
  readonly quota: number;
  readonly prefixLists: readonly PrefixList[];
}

export function addGroup(
  world: World,
  asked: { id?: string | undefined; name: string; description: string; vpcId: string },
): { world: World; group: Group } {
  if (world.groups.some(({ name, vpcId }) => name === asked.name && vpcId === asked.vpcId))
    throw new Rejection(
      'InvalidGroup.Duplicate',
      `The security group '${asked.name}' already exists for VPC '${asked.vpcId}'`,
    );
  const { name, description, vpcId } = asked;
  const group = { id: asked.id ?? idFrom('sg', world.issued + 1), name, description, vpcId };
  const grown = { ...world, issued: world.issued + 1, groups: [...world.groups, group] };
  // "By default, a security group has an outbound rule that allows all outbound traffic":
  // https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
  const open = checkPermission({ protocol: '-1', cidrIpv4: '0.0.0.0/0' });
  return { world: withRules(grown, group.id, true, [open]).world, group };
}

export function removeGroup(world: World, groupId: string): World {
  findGroup(world, groupId);
  const referrer = world.rules.find((rule) => rule.referencedGroupId === groupId && rule.groupId !== groupId);
  if (referrer) throw new Rejection('DependencyViolation', `resource ${groupId} has a dependent object`);
  return {
    ...world,
    groups: world.groups.filter(({ id }) => id !== groupId),
    rules: world.rules.filter((rule) => rule.groupId !== groupId),
  };
}

/**
 * Adds inbound rules, all or none.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html
 */
export function authorize(
  world: World,
  groupId: string,
  asked: readonly Permission[],
): { world: World; rules: Rule[] } {
  findGroup(world, groupId);
  const permissions = asked.map(checkPermission);
  for (const permission of permissions) checkReferences(world, permission);
  checkDistinct(permissions);
  const there = new Set(inbound(world, groupId).map(identityOf));
  for (const permission of permissions) {
    if (there.has(identityOf(permission))) throw duplicate(permission);
  }
  const added = withRules(world, groupId, false, permissions);
  checkQuota(added.world, groupId);
  return added;
}

/**
 * Takes inbound rules away, all or none.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html
 */
export function revoke(world: World, rules: readonly Rule[]): World {
  const gone = new Set(rules.map(({ id }) => id));
  return { ...world, rules: world.rules.filter(({ id }) => !gone.has(id)) };
}

/**
 * The inbound rule that a permission names; its description counts for nothing. Groups here stand in a VPC of one's
 * own, where an unknown one is an error and nothing is revoked (in a default VPC it would be skipped):
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html
 */
export function ruleOf(world: World, groupId: string, asked: Permission): Rule {
  const { description: _, ...named } = asked;
  const identity = identityOf(checkPermission(named));
  const rule = inbound(world, groupId).find((candidate) => identityOf(candidate) === identity);
  if (rule) return rule;
  throw new Rejection(
    'InvalidPermission.NotFound',
    'The specified rule does not exist in this security group.',
  );
}

/** The rule with an id, of any direction, in this group (or in any, when none is named). */
export function ruleById(world: World, id: string, groupId?: string): Rule {
  if (!/^sgr-(?:[0-9a-f]{8}|[0-9a-f]{17})$/.test(id))
    throw new Rejection(
      'InvalidSecurityGroupRuleId.Malformed',
      `The security group rule ID '${id}' is malformed`,
    );
  const rule = world.rules.find((candidate) => candidate.id === id);
  if (rule && (groupId === undefined || rule.groupId === groupId)) return rule;
  throw new Rejection(
    'InvalidSecurityGroupRuleId.NotFound',
    `The security group rule ID '${id}' does not exist`,
  );
}

/** Replaces rules by new wordings of themselves, all or none; the ids stay. */
export function modify(
  world: World,
  groupId: string,
  updates: readonly { rule: Rule; permission: Permission }[],
): World {
  const changed = new Map<string, Rule>();
  for (const { rule, permission } of updates) {
    const checked = checkPermission(permission);
    checkReferences(world, checked);
    const { id, isEgress } = rule;
    changed.set(id, { id, groupId, isEgress, ...checked });
  }
  const rules = world.rules.map((rule) => changed.get(rule.id) ?? rule);
  const seen = new Set<string>();
  for (const rule of rules.filter((candidate) => candidate.groupId === groupId)) {
    const identity = `${rule.isEgress} ${identityOf(rule)}`;
    if (seen.has(identity)) throw duplicate(rule);
    seen.add(identity);
  }
  const next = { ...world, rules };
  checkQuota(next, groupId);
  return next;
}

export function describeRule(world: World, rule: Rule, description: string | undefined): World {
  checkDescription(description);
  const { description: _, ...bare } = rule;
  const next: Rule = description ? { ...bare, description } : bare;
  return { ...world, rules: world.rules.map((candidate) => (candidate.id === rule.id ? next : candidate)) };
}

/** Throws `InvalidGroupId.Malformed` or `InvalidGroup.NotFound`. */
export function findGroup(world: World, groupId: string): Group {
  if (!/^sg-(?:[0-9a-f]{8}|[0-9a-f]{17})$/.test(groupId))
    throw new Rejection('InvalidGroupId.Malformed', `Invalid id: "${groupId}" (expecting "sg-...")`);
  const group = world.groups.find(({ id }) => id === groupId);
  if (!group) throw new Rejection('InvalidGroup.NotFound', `The security group '${groupId}' does not exist`);
  return group;
}

function inbound(world: World, groupId: string): Rule[] {
  return world.rules.filter((rule) => rule.groupId === groupId && !rule.isEgress);
}

function withRules(
  world: World,
  groupId: string,
  isEgress: boolean,
  permissions: readonly CheckedPermission[],
): { world: World; rules: Rule[] } {
  const rules = permissions.map((permission, index) => {
    return { id: idFrom('sgr', world.issued + 1 + index), groupId, isEgress, ...permission };
  });
  return {
    world: { ...world, issued: world.issued + rules.length, rules: [...world.rules, ...rules] },
    rules,
  };
}

function checkReferences(world: World, { prefixListId, referencedGroupId }: Permission): void {
  if (referencedGroupId !== undefined) findGroup(world, referencedGroupId);
  if (prefixListId !== undefined && !world.prefixLists.some(({ id }) => id === prefixListId))
    throw new Rejection(
      'InvalidPrefixListId.NotFound',
      `The prefix list ID '${prefixListId}' does not exist`,
    );
}

/** Recorded: https://github.com/hashicorp/terraform-provider-aws/issues/29492 */
function checkDistinct(permissions: readonly CheckedPermission[]): void {
  if (new Set(permissions.map(identityOf)).size < permissions.length)
    throw invalidValue('The same permission must not appear multiple times');
}

/** Recorded: https://github.com/terraform-aws-modules/terraform-aws-security-group/issues/351 */
function duplicate(permission: CheckedPermission): Rejection {
  return new Rejection(
    'InvalidPermission.Duplicate',
    `the specified rule "${inWords(permission)}" already exists`,
  );
}

/**
 * The quota holds for IPv4 and IPv6 apart. A rule that refers to a group counts once in each, one that refers to a
 * prefix list counts as that list's maximum size.
 * https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups
 * Recorded wording: https://github.com/aws-samples/aws-cloudfront-samples/issues/53
 */
function checkQuota(world: World, groupId: string): void {
  const used = { ipv4: 0, ipv6: 0 };
  for (const rule of inbound(world, groupId)) {
    const list = world.prefixLists.find(({ id }) => id === rule.prefixListId);
    if (list) used[list.family] += list.maxEntries;
    else {
      if (rule.cidrIpv6 === undefined) used.ipv4 += 1;
      if (rule.cidrIpv4 === undefined) used.ipv6 += 1;
    }
  }
  if (Math.max(used.ipv4, used.ipv6) > world.quota)
    throw new Rejection(
      'RulesPerSecurityGroupLimitExceeded',
      'The maximum number of rules per security group has been reached.',
    );
}

/** As long as real ids, and the same in every run. */
function idFrom(kind: 'sg' | 'sgr', number: number): string {
  return `${kind}-0${number.toString(16).padStart(16, '0')}`;
}
