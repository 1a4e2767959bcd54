/** EC2's rules as entries, and entries as EC2's permissions. Pure. */
import type { IpPermission, SecurityGroupRule } from '@aws-sdk/client-ec2';
import { type Cidr, familyOf, parseCidr } from '../../src/cidr.ts';
import { FatalError } from '../../src/errors.ts';
import {
  type Capacity,
  canonicalPorts,
  type Entry,
  parseMarker,
  portBounds,
  type Service,
  type SnapshotWarning,
} from '../provider.ts';

/** A rule that has what every rule must have. */
export type Rule = SecurityGroupRule & { SecurityGroupRuleId: string; IpProtocol: string };

/** Undefined for a rule whose peer is no address. Throws what `bad` makes of an address that is none. */
export function entryOf(rule: Rule, bad: (what: string) => Error): Entry | undefined {
  const text = rule.CidrIpv4 || rule.CidrIpv6;
  if (!text) return undefined;
  const parsed = parseCidr(text);
  if (!parsed.ok) throw bad(`has ${rule.SecurityGroupRuleId} with «${text}»: ${parsed.reason}`);
  const description = rule.Description ?? '';
  const marker = parseMarker(description);
  return { cidr: parsed.cidr, ...serviceOf(rule), marker, id: rule.SecurityGroupRuleId, description };
}

/** Only TCP and UDP have ports: the same fields are type and code of ICMP, and nothing for the rest. */
function serviceOf({ IpProtocol, FromPort, ToPort }: Rule): Service {
  const protocol = PROTOCOLS.get(IpProtocol) ?? IpProtocol.toLowerCase();
  const hasPorts = protocol === 'tcp' || protocol === 'udp';
  if (!hasPorts || FromPort === undefined || ToPort === undefined || FromPort < 0)
    return { protocol, ports: null };
  return { protocol, ports: canonicalPorts(`${FromPort}-${ToPort}`) };
}

/** https://www.iana.org/assignments/protocol-numbers; `-1` is EC2's word for all. */
const PROTOCOLS: ReadonlyMap<string, string> = new Map([
  ['-1', 'all'],
  ['1', 'icmp'],
  ['6', 'tcp'],
  ['17', 'udp'],
  ['58', 'icmpv6'],
  ['132', 'sctp'],
]);

/**
 * Each family has the quota for itself; a rule without an address counts in both.
 * https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups
 */
export function capacityOf(inbound: readonly Rule[], limit: number): Capacity[] {
  return (['ipv4', 'ipv6'] as const).map((scope) => ({
    scope,
    used: inbound.filter((rule) => !(scope === 'ipv4' ? rule.CidrIpv6 : rule.CidrIpv4)).length,
    limit,
  }));
}

/** A prefix list takes the room of its most entries, which only another call per list would tell. */
export function warningsOf(inbound: readonly Rule[], groupId: string): SnapshotWarning[] {
  const lists = new Set(inbound.flatMap(({ PrefixListId }) => PrefixListId || []));
  if (lists.size === 0) return [];
  const names = [...lists].join(', ');
  const detail = `${groupId} refers to ${names}: counted as one rule here, by EC2 as the most entries of the list`;
  return [{ code: 'capacity-unknown', detail }];
}

/**
 * One permission a service, its addresses by family, all with the same description. Throws `write-refused` for what
 * EC2 would take as all ports.
 */
export function permissionsOf(
  entries: readonly (Service & { readonly cidr: Cidr })[],
  Description: string,
): IpPermission[] {
  const permissions = new Map<string, IpPermission & { IpRanges: object[]; Ipv6Ranges: object[] }>();
  for (const { cidr, protocol, ports } of entries) {
    if ((protocol !== 'tcp' && protocol !== 'udp') || ports === null)
      throw new FatalError('write-refused', `${cidr} would get all ports of ${protocol ?? 'all protocols'}`);
    const key = `${protocol} ${ports}`;
    const [FromPort, ToPort] = portBounds(ports);
    const permission = permissions.get(key) ?? {
      IpProtocol: protocol,
      FromPort,
      ToPort,
      IpRanges: [],
      Ipv6Ranges: [],
    };
    permissions.set(key, permission);
    if (familyOf(cidr) === 'ipv4') permission.IpRanges.push({ CidrIp: cidr, Description });
    else permission.Ipv6Ranges.push({ CidrIpv6: cidr, Description });
  }
  return [...permissions.values()];
}
