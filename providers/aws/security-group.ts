import type { IpPermission, SecurityGroupRule } from '@aws-sdk/client-ec2';
import { z } from 'zod';
import { FatalError } from '../../src/errors.ts';
import {
  allowSchema,
  type Change,
  defineProvider,
  formatMarker,
  markerOf,
  refuseTooBroad,
  type Snapshot,
  servicesOf,
} from '../provider.ts';
import { accessSchema, accountOf, type Ec2, openEc2, placeOf } from './client.ts';
import { noAnswer } from './errors.ts';
import { rulesQuota } from './quota.ts';
import { capacityOf, entryOf, permissionsOf, type Rule, warningsOf } from './rules.ts';

const options = z.strictObject({
  ...accessSchema.shape,
  groupId: z
    .string()
    .regex(/^sg-[0-9a-f]{8,17}$/, 'must be the id of a security group such as sg-0a1b2c3d4e5f60718')
    .describe('Id of the security group'),
  allow: allowSchema
    .superRefine((allow, context) => {
      // EC2 opens all ports of any protocol but these: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
      allow.forEach(({ protocol }, index) => {
        if (protocol !== 'sctp') return;
        const message = 'cannot be sctp: a security group has no ports for it and would open them all';
        context.addIssue({ code: 'custom', path: [index, 'protocol'], message });
      });
    })
    .describe('The ports that the addresses may reach'),
  adopt: z
    .boolean()
    .default(false)
    .describe('Take identical rules that somebody else made over, by rewriting their descriptions'),
  maxRules: z
    .int()
    .min(1)
    .max(1000)
    .optional()
    .describe(
      'Inbound rules a security group may have, per family. Default: 60, and where that is too few the quota of the account',
    ),
});

/** https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups */
const DEFAULT_QUOTA = 60;

/** Entries are single rules, and rules that refer to groups or prefix lists only take up room. */
export const provider = defineProvider({
  name: 'aws-security-group',
  options,
  atomic: false,
  adopts: 'entry',
  describe: ({ options: { allow, groupId, ...access } }) => ({
    object: `aws-security-group ${access.region} ${groupId}`,
    services: servicesOf(allow),
    account: accountOf(access),
  }),
  open: async ({ identity, options: { groupId, accountId, maxRules, ...access } }, io) => {
    const group: Group = {
      ec2: await openEc2(access, io),
      id: groupId,
      where: `security group ${groupId} (${placeOf({ ...access, accountId }, io.env)})`,
      accountId,
      description: formatMarker(markerOf(identity)),
    };
    return {
      read: () => readGroup(group, maxRules ?? DEFAULT_QUOTA),
      write: (changes) => writeGroup(group, changes),
      // Who wrote a number into the config knows it.
      ...(maxRules === undefined && {
        exactCapacity: async ({ capacity }: Snapshot) => {
          const limit = await rulesQuota(access, io);
          return limit === null ? null : capacity.map((one) => ({ ...one, limit }));
        },
      }),
    };
  },
});

interface Group {
  readonly ec2: Ec2;
  readonly id: string;
  /** For messages. */
  readonly where: string;
  readonly accountId: string | undefined;
  /** What marks a rule as ours. */
  readonly description: string;
}

async function readGroup(group: Group, maxRules: number): Promise<Snapshot> {
  const rules = await listRules(group);
  // An unknown group has no rules either, and says so only here; some services that imitate EC2 tell the owner only here.
  const accountIsOpen = group.accountId !== undefined && rules.some(({ GroupOwnerId }) => !GroupOwnerId);
  if (rules.length === 0 || accountIsOpen) await requireGroup(group);
  const inbound = rules.filter(({ IsEgress }) => !IsEgress);
  return {
    entries: inbound.flatMap((rule) => entryOf(rule, (what) => badAnswer(group, what)) ?? []),
    beside: [],
    settings: [],
    capacity: capacityOf(inbound, maxRules),
    warnings: warningsOf(inbound, group.id),
  };
}

async function writeGroup(group: Group, changes: readonly Change[]): Promise<void> {
  const additions = changes.flatMap((change) => (change.action === 'add' ? [change.entry] : []));
  const marks = changes.flatMap((change) => (change.action === 'mark' ? [change.entry] : []));
  const removals = changes.flatMap((change) => (change.action === 'remove' ? [change.entry.id] : []));
  refuseTooBroad(
    additions.map(({ cidr }) => cidr),
    group.where,
  );
  for (const batch of batches(additions)) await authorize(group, permissionsOf(batch, group.description));
  for (const batch of batches(marks)) await redescribe(group, permissionsOf(batch, group.description));
  for (const batch of batches(removals)) await revoke(group, batch);
}

/** Every rule of the group, every page; throws when a page or a rule is not what it must be. */
async function listRules(group: Group): Promise<Rule[]> {
  const rules = new Map<string, Rule>();
  const tokens = new Set<string>();
  for (let token: string | undefined; ; ) {
    const page = await describeRules(group, token);
    for (const row of page.rows) {
      const rule = checkRow(row, group);
      if (rules.has(rule.SecurityGroupRuleId))
        throw badAnswer(group, `lists ${rule.SecurityGroupRuleId} twice`);
      rules.set(rule.SecurityGroupRuleId, rule);
    }
    token = page.next;
    if (!token) return [...rules.values()];
    if (tokens.has(token)) throw badAnswer(group, 'repeats the token of a page');
    tokens.add(token);
  }
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroupRules.html */
function describeRules(group: Group, token: string | undefined) {
  const operation = 'DescribeSecurityGroupRules';
  const input = {
    Filters: [{ Name: 'group-id', Values: [group.id] }],
    MaxResults: 1000,
    ...(token && { NextToken: token }),
  };
  return group.ec2.call(operation, group.where, async (client, limits) => {
    const page = await client.describeSecurityGroupRules(input, limits);
    // The SDK makes an empty or foreign body into an answer without the set.
    if (!page.SecurityGroupRules) throw noAnswer(callOf(operation, group), 'it has no securityGroupRuleSet');
    return { rows: page.SecurityGroupRules, next: page.NextToken || undefined };
  });
}

/**
 * Throws `target-missing` unless the group exists, `wrong-account` unless it belongs to the account demanded.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html
 */
async function requireGroup(group: Group): Promise<void> {
  const operation = 'DescribeSecurityGroups';
  const found = await group.ec2.call(operation, group.where, async (client, limits) => {
    const { SecurityGroups } = await client.describeSecurityGroups({ GroupIds: [group.id] }, limits);
    if (!SecurityGroups) throw noAnswer(callOf(operation, group), 'it has no securityGroupInfo');
    return SecurityGroups.find(({ GroupId }) => GroupId === group.id);
  });
  if (!found) throw new FatalError('target-missing', `${group.where} does not exist`);
  checkAccount(found.OwnerId, group);
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html */
function authorize(group: Group, IpPermissions: IpPermission[]): Promise<void> {
  const operation = 'AuthorizeSecurityGroupIngress';
  return group.ec2.call(operation, group.where, async (client, limits) => {
    const answer = await client.authorizeSecurityGroupIngress({ GroupId: group.id, IpPermissions }, limits);
    checkReturn(answer.Return, operation, group);
  });
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html */
function revoke(group: Group, SecurityGroupRuleIds: string[]): Promise<void> {
  const operation = 'RevokeSecurityGroupIngress';
  return group.ec2.call(operation, group.where, async (client, limits) => {
    const answer = await client.revokeSecurityGroupIngress(
      { GroupId: group.id, SecurityGroupRuleIds },
      limits,
    );
    checkReturn(answer.Return, operation, group);
  });
}

/**
 * By permission, not by rule id: so it marks the very address and ports that were planned, whatever somebody made of
 * that rule since; and some services that imitate EC2 pass over ids in silence. Those leave out `return` too, so only
 * a plain `false` is an error, and the read after it is the proof.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UpdateSecurityGroupRuleDescriptionsIngress.html
 */
function redescribe(group: Group, IpPermissions: IpPermission[]): Promise<void> {
  const operation = 'UpdateSecurityGroupRuleDescriptionsIngress';
  const input = { GroupId: group.id, IpPermissions };
  return group.ec2.call(operation, group.where, async (client, limits) => {
    const answer = await client.updateSecurityGroupRuleDescriptionsIngress(input, limits);
    checkReturn(answer.Return ?? true, operation, group);
  });
}

function checkRow(row: SecurityGroupRule, group: Group): Rule {
  const { SecurityGroupRuleId, GroupId, IsEgress, IpProtocol } = row;
  if (!SecurityGroupRuleId) throw badAnswer(group, 'has a rule without an id');
  if (GroupId !== group.id) throw badAnswer(group, `has ${SecurityGroupRuleId} of the group ${GroupId}`);
  if (IsEgress === undefined || !IpProtocol)
    throw badAnswer(group, `does not tell direction and protocol of ${SecurityGroupRuleId}`);
  if (row.GroupOwnerId) checkAccount(row.GroupOwnerId, group);
  return { ...row, SecurityGroupRuleId, IpProtocol };
}

function checkAccount(owner: string | undefined, { accountId, where }: Group): void {
  if (accountId === undefined || owner === accountId) return;
  throw new FatalError(
    'wrong-account',
    `${where} belongs to account ${owner ?? 'unknown'}, not to ${accountId}`,
  );
}

/** False has no documented meaning but "not done"; none at all is no answer of EC2. */
function checkReturn(value: boolean | undefined, operation: string, group: Group): void {
  if (value === undefined) throw noAnswer(callOf(operation, group), 'it has no return');
  if (!value)
    throw new FatalError('request-refused', `AWS answered ${operation} on ${group.where} with false`);
}

function badAnswer(group: Group, what: string): FatalError {
  return new FatalError('bad-answer', `the answer to DescribeSecurityGroupRules on ${group.where} ${what}`);
}

function callOf(operation: string, { where }: Group) {
  return { permission: `ec2:${operation}`, where };
}

/** A group has at most 1000 rules; a call stays well within what EC2 takes in one form. */
function batches<T>(items: readonly T[]): T[][] {
  const size = 500;
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}
