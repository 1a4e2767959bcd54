import { type CheckedPermission, checkPermission, identityOf, type Permission } from './permission.ts';
import { Rejection } from './rejection.ts';

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

/** Everything that is there. It never changes: changes.ts makes a new one or refuses, so every batch is atomic. */
export interface World {
  readonly groups: readonly Group[];
  readonly rules: readonly Rule[];
  /** How many ids were given out; the next one is made from it. */
  readonly issued: number;
  /** Inbound rules a group may have in each family. */
  readonly quota: number;
  readonly prefixLists: readonly PrefixList[];
}

export function isGroupId(text: string): boolean {
  return /^sg-(?:[0-9a-f]{8}|[0-9a-f]{17})$/.test(text);
}

/**
 * Recorded: https://github.com/genevieve/leftovers/issues/7 (malformed),
 * https://github.com/hashicorp/terraform/issues/23499 (not found).
 */
export function findGroup(world: World, groupId: string): Group {
  if (!isGroupId(groupId))
    throw new Rejection('InvalidGroupId.Malformed', `Invalid id: "${groupId}" (expecting "sg-...")`);
  const group = world.groups.find(({ id }) => id === groupId);
  if (!group) throw new Rejection('InvalidGroup.NotFound', `The security group '${groupId}' does not exist`);
  return group;
}

export function inbound(world: World, groupId: string): Rule[] {
  return world.rules.filter((rule) => rule.groupId === groupId && !rule.isEgress);
}

/**
 * The inbound rule that a permission names; its description counts for nothing. Groups here stand in a VPC of one's
 * own, where an unknown one is an error and nothing is revoked (in a default VPC it would be passed over):
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html
 * Recorded wording: https://github.com/piyushsonigra/aws_ipadd/issues/10
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

/**
 * The rule with an id, in any group and direction unless `within` names them. Both codes stand in
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
 */
export function ruleById(
  world: World,
  id: string,
  within: { groupId?: string; isEgress?: boolean } = {},
): Rule {
  if (!/^sgr-(?:[0-9a-f]{8}|[0-9a-f]{17})$/.test(id))
    throw new Rejection(
      'InvalidSecurityGroupRuleId.Malformed',
      `The security group rule ID '${id}' is malformed`,
    );
  const rule = world.rules.find((candidate) => candidate.id === id);
  const { groupId = rule?.groupId, isEgress = rule?.isEgress } = within;
  if (rule && rule.groupId === groupId && rule.isEgress === isEgress) return rule;
  throw new Rejection(
    'InvalidSecurityGroupRuleId.NotFound',
    `The security group rule ID '${id}' does not exist`,
  );
}
