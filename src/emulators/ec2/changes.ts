import { findGroup, type Group, inbound, type Rule, type World } from './model.ts';
import {
  type CheckedPermission,
  checkDescription,
  checkHostBits,
  checkPermission,
  identityOf,
  inWords,
  type Permission,
} from './permission.ts';
import { invalidValue, Rejection } from './rejection.ts';

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html */
export function addGroup(
  world: World,
  asked: { id?: string | undefined; name: string; description: string; vpcId: string },
): { world: World; group: Group } {
  const { name, description, vpcId } = asked;
  if (world.groups.some((group) => group.name === name && group.vpcId === vpcId))
    throw new Rejection(
      'InvalidGroup.Duplicate',
      `The security group '${name}' already exists for VPC '${vpcId}'`,
    );
  const group = { id: asked.id ?? idFrom('sg', world.issued + 1), name, description, vpcId };
  const grown = { ...world, issued: world.issued + 1, groups: [...world.groups, group] };
  // A new group lets everything out: https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
  const open = checkPermission({ protocol: '-1', cidrIpv4: '0.0.0.0/0' });
  return { world: withRules(grown, group.id, true, [open]).world, group };
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html */
export function removeGroup(world: World, groupId: string): World {
  findGroup(world, groupId);
  if (world.rules.some((rule) => rule.referencedGroupId === groupId && rule.groupId !== groupId))
    throw new Rejection('DependencyViolation', `resource ${groupId} has a dependent object`);
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
  const known = permissions.find((permission) => there.has(identityOf(permission)));
  if (known) throw duplicate(known);
  const added = withRules(world, groupId, false, permissions);
  checkQuota(added.world, groupId);
  return added;
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html */
export function revoke(world: World, rules: readonly Rule[]): World {
  const gone = new Set(rules.map(({ id }) => id));
  return { ...world, rules: world.rules.filter(({ id }) => !gone.has(id)) };
}

/**
 * Replaces rules by new wordings of themselves, all or none; the ids stay.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySecurityGroupRules.html
 */
export function modify(
  world: World,
  groupId: string,
  updates: readonly { rule: Rule; permission: Permission }[],
): World {
  const changed = new Map<string, Rule>();
  for (const { rule, permission } of updates) {
    checkHostBits(permission);
    const checked = checkPermission(permission);
    checkReferences(world, checked);
    const { id, isEgress } = rule;
    changed.set(id, { ...checked, id, groupId, isEgress });
  }
  const next = { ...world, rules: world.rules.map((rule) => changed.get(rule.id) ?? rule) };
  const seen = new Set<string>();
  for (const rule of next.rules.filter((candidate) => candidate.groupId === groupId)) {
    const identity = `${rule.isEgress} ${identityOf(rule)}`;
    if (seen.has(identity)) throw duplicate(rule);
    seen.add(identity);
  }
  checkQuota(next, groupId);
  return next;
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UpdateSecurityGroupRuleDescriptionsIngress.html */
export function describeRule(world: World, rule: Rule, description: string | undefined): World {
  checkDescription(description);
  const { description: _, ...bare } = rule;
  const next: Rule = description ? { ...bare, description } : bare;
  return { ...world, rules: world.rules.map((candidate) => (candidate.id === rule.id ? next : candidate)) };
}

function withRules(
  world: World,
  groupId: string,
  isEgress: boolean,
  permissions: readonly CheckedPermission[],
): { world: World; rules: Rule[] } {
  const rules = permissions.map((permission, index) => {
    return { ...permission, id: idFrom('sgr', world.issued + 1 + index), groupId, isEgress };
  });
  return {
    world: { ...world, issued: world.issued + rules.length, rules: [...world.rules, ...rules] },
    rules,
  };
}

/** Recorded: https://github.com/aws-cloudformation/rain/issues/308, https://github.com/floci-io/floci/pull/2271 */
function checkReferences(world: World, { prefixListId, referencedGroupId }: Permission): void {
  if (referencedGroupId !== undefined) findGroup(world, referencedGroupId);
  if (prefixListId !== undefined && !world.prefixLists.some(({ id }) => id === prefixListId))
    throw new Rejection(
      'InvalidPrefixListID.NotFound',
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
 * prefix list counts as the most entries of that list.
 * https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups
 * Measured: https://github.com/jantman/awslimitchecker/pull/447
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
