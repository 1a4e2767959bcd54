import { type Account, groupArn, groupXml, revokedRuleXml, ruleXml } from './answers.ts';
import { addGroup, authorize, describeRule, modify, removeGroup, revoke } from './changes.ts';
import { type Filters, filtered, filterValues, page } from './listing.ts';
import { findGroup, type Group, isGroupId, type Rule, ruleById, ruleOf, type World } from './model.ts';
import { missing, type Query } from './query.ts';
import { Rejection } from './rejection.ts';
import { readGroupId, readPermission, readPermissions } from './requests.ts';
import type { Xml } from './xml.ts';

/** What stays the same over all requests. */
export interface Setting {
  readonly account: Account;
  /** The most items of one page. */
  readonly pageSize: number;
  /** Where a group goes that names no VPC. */
  readonly vpcId: string;
}

/** The world after an action, and its answer. */
export interface Outcome {
  readonly world: World;
  readonly body: { readonly [name: string]: Xml };
}

/** Throws {@link Rejection}; what it read from the query and left unread is checked by the caller. */
export type Action = (query: Query, world: World, setting: Setting) => Outcome;

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html */
const describeGroups: Action = (query, world, { account, pageSize }) => {
  const ids = query.list('GroupId');
  const named = ids.length > 0 ? ids.map((id) => findGroup(world, id)) : world.groups;
  const { items, nextToken } = page(query, filtered(query, named, GROUP_FILTERS), pageSize);
  const groups = items.map((group) =>
    groupXml(
      group,
      world.rules.filter(({ groupId }) => groupId === group.id),
      account,
    ),
  );
  return { world, body: { securityGroupInfo: groups, nextToken } };
};

/**
 * A filter for a group that does not exist is no error, it finds nothing (https://github.com/getmoto/moto/pull/7620);
 * one that is no group id is (recorded: https://github.com/localstack/localstack/pull/9059).
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroupRules.html
 */
const describeRules: Action = (query, world, { account, pageSize }) => {
  const ids = query.list('SecurityGroupRuleId');
  const named = ids.length > 0 ? ids.map((id) => ruleById(world, id)) : world.rules;
  const malformed = filterValues(query, 'group-id').find((value) => !/[*?]/.test(value) && !isGroupId(value));
  if (malformed !== undefined)
    throw new Rejection('InvalidGroupId.Malformed', `The security group ID '${malformed}' is malformed`);
  const { items, nextToken } = page(query, filtered(query, named, RULE_FILTERS), pageSize);
  return { world, body: { securityGroupRuleSet: items.map((rule) => ruleXml(rule, account)), nextToken } };
};

const authorizeIngress: Action = (query, world, { account }) => {
  const permissions = readPermissions(query);
  if (permissions.length === 0) throw missing('ipPermissions');
  const { world: next, rules } = authorize(world, readGroupId(query), permissions);
  return {
    world: next,
    body: { return: true, securityGroupRuleSet: rules.map((rule) => ruleXml(rule, account)) },
  };
};

const revokeIngress: Action = (query, world) => {
  const rules = namedRules(query, world);
  return {
    world: revoke(world, rules),
    body: { return: true, revokedSecurityGroupRuleSet: rules.map(revokedRuleXml) },
  };
};

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySecurityGroupRules.html */
const modifyRules: Action = (query, world) => {
  const groupId = query.required('GroupId');
  findGroup(world, groupId);
  const updates = query.items('SecurityGroupRule').map((item) => ({
    rule: ruleById(world, item.required('SecurityGroupRuleId'), { groupId }),
    permission: readPermission(item.within('SecurityGroupRule')),
  }));
  if (updates.length === 0) throw missing('SecurityGroupRule');
  return { world: modify(world, groupId, updates), body: { return: true } };
};

/**
 * By rule id or by permission, not both; an empty description takes the old one away.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UpdateSecurityGroupRuleDescriptionsIngress.html
 */
const updateDescriptions: Action = (query, world) => {
  const groupId = readGroupId(query);
  findGroup(world, groupId);
  const permissions = readPermissions(query).map((permission) => ({
    rule: ruleOf(world, groupId, permission),
    description: permission.description,
  }));
  const byId = query.items('SecurityGroupRuleDescription').map((item) => ({
    rule: ruleById(world, item.required('SecurityGroupRuleId'), { groupId, isEgress: false }),
    description: item.text('Description'),
  }));
  eitherOr(permissions, byId, 'SecurityGroupRuleDescriptions');
  const next = [...permissions, ...byId].reduce(
    (so, { rule, description }) => describeRule(so, rule, description),
    world,
  );
  return { world: next, body: { return: true } };
};

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html */
const createGroup: Action = (query, world, { account, vpcId }) => {
  const { world: next, group } = addGroup(world, {
    name: query.required('GroupName'),
    description: query.required('GroupDescription'),
    vpcId: query.text('VpcId') ?? vpcId,
  });
  return {
    world: next,
    body: { return: true, groupId: group.id, securityGroupArn: groupArn(group, account), tagSet: [] },
  };
};

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html */
const deleteGroup: Action = (query, world) => {
  const groupId = readGroupId(query);
  return { world: removeGroup(world, groupId), body: { return: true, groupId } };
};

export const ACTIONS: { readonly [name: string]: Action } = {
  DescribeSecurityGroups: describeGroups,
  DescribeSecurityGroupRules: describeRules,
  AuthorizeSecurityGroupIngress: authorizeIngress,
  RevokeSecurityGroupIngress: revokeIngress,
  ModifySecurityGroupRules: modifyRules,
  UpdateSecurityGroupRuleDescriptionsIngress: updateDescriptions,
  CreateSecurityGroup: createGroup,
  DeleteSecurityGroup: deleteGroup,
};

const GROUP_FILTERS: Filters<Group> = {
  'group-id': ({ id }) => id,
  'group-name': ({ name }) => name,
  'vpc-id': ({ vpcId }) => vpcId,
  description: ({ description }) => description,
};

const RULE_FILTERS: Filters<Rule> = {
  'group-id': ({ groupId }) => groupId,
  'security-group-rule-id': ({ id }) => id,
};

/** The rules that a revocation names, by id or by permission. Throws when one is not there. */
function namedRules(query: Query, world: World): Rule[] {
  const groupId = readGroupId(query);
  findGroup(world, groupId);
  const byPermission = readPermissions(query).map((permission) => ruleOf(world, groupId, permission));
  const byId = query
    .list('SecurityGroupRuleId')
    .map((id) => ruleById(world, id, { groupId, isEgress: false }));
  eitherOr(byPermission, byId, 'securityGroupRuleIds');
  return [...byPermission, ...byId];
}

function eitherOr(byPermission: readonly unknown[], byId: readonly unknown[], idsName: string): void {
  if (byPermission.length > 0 && byId.length > 0)
    throw new Rejection(
      'InvalidParameterCombination',
      `The parameters ipPermissions and ${idsName} cannot be used together.`,
    );
  if (byPermission.length + byId.length === 0) throw missing('ipPermissions');
}
