import type { Group, Rule } from './model.ts';
import type { Xml } from './xml.ts';

/** Whose cloud this is. */
export interface Account {
  readonly id: string;
  readonly region: string;
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html */
export function ruleXml(rule: Rule, account: Account): Xml {
  const { referencedGroupId } = rule;
  return {
    securityGroupRuleId: rule.id,
    groupId: rule.groupId,
    groupOwnerId: account.id,
    ...detailsXml(rule),
    referencedGroupInfo:
      referencedGroupId === undefined ? undefined : { groupId: referencedGroupId, userId: account.id },
    securityGroupRuleArn: arn(account, `security-group-rule/${rule.id}`),
    tagSet: [],
  };
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokedSecurityGroupRule.html */
export function revokedRuleXml(rule: Rule): Xml {
  return {
    securityGroupRuleId: rule.id,
    groupId: rule.groupId,
    ...detailsXml(rule),
    referencedGroupId: rule.referencedGroupId,
  };
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroup.html */
export function groupXml(group: Group, rules: readonly Rule[], account: Account): Xml {
  return {
    ownerId: account.id,
    groupId: group.id,
    groupName: group.name,
    groupDescription: group.description,
    vpcId: group.vpcId,
    securityGroupArn: groupArn(group, account),
    ipPermissions: permissionsXml(
      rules.filter(({ isEgress }) => !isEgress),
      account,
    ),
    ipPermissionsEgress: permissionsXml(
      rules.filter(({ isEgress }) => isEgress),
      account,
    ),
    tagSet: [],
  };
}

export function groupArn(group: Group, account: Account): string {
  return arn(account, `security-group/${group.id}`);
}

function detailsXml(rule: Rule): { readonly [name: string]: Xml } {
  return {
    isEgress: rule.isEgress,
    ipProtocol: rule.protocol,
    fromPort: rule.fromPort,
    toPort: rule.toPort,
    cidrIpv4: rule.cidrIpv4,
    cidrIpv6: rule.cidrIpv6,
    prefixListId: rule.prefixListId,
    description: rule.description,
  };
}

/** The rules of one protocol and port range together, as IpPermission has them; without ports when it is all. */
function permissionsXml(rules: readonly Rule[], account: Account): Xml {
  const services = new Map<string, Rule[]>();
  for (const rule of rules) {
    const service = `${rule.protocol} ${rule.fromPort} ${rule.toPort}`;
    services.set(service, [...(services.get(service) ?? []), rule]);
  }
  return [...services.values()].map((together) => {
    const [first] = together;
    const ports = first && first.protocol !== '-1' ? { fromPort: first.fromPort, toPort: first.toPort } : {};
    return {
      ipProtocol: first?.protocol,
      ...ports,
      groups: together.flatMap(({ referencedGroupId: groupId, description }) =>
        groupId === undefined ? [] : { userId: account.id, groupId, description },
      ),
      ipRanges: together.flatMap(({ cidrIpv4: cidrIp, description }) =>
        cidrIp === undefined ? [] : { cidrIp, description },
      ),
      ipv6Ranges: together.flatMap(({ cidrIpv6, description }) =>
        cidrIpv6 === undefined ? [] : { cidrIpv6, description },
      ),
      prefixListIds: together.flatMap(({ prefixListId, description }) =>
        prefixListId === undefined ? [] : { prefixListId, description },
      ),
    };
  });
}

function arn(account: Account, resource: string): string {
  return `arn:aws:ec2:${account.region}:${account.id}:${resource}`;
}
