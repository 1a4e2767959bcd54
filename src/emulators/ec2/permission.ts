import { familyOf, parseCidr } from '../../cidr.ts';
import { invalidValue, Rejection } from './rejection.ts';

/** One rule as it is asked for: exactly one peer, and a description that is not part of its identity. */
export interface Permission {
  /** A name or a number; `-1` is all. */
  readonly protocol: string;
  readonly fromPort?: number;
  readonly toPort?: number;
  readonly cidrIpv4?: string;
  readonly cidrIpv6?: string;
  readonly prefixListId?: string;
  readonly referencedGroupId?: string;
  readonly description?: string;
}

/** A permission as EC2 keeps it: protocol by its name, ports always there (-1 is all), network bits only. */
export interface CheckedPermission extends Permission {
  readonly fromPort: number;
  readonly toPort: number;
}

const PROTOCOL_NAMES: Readonly<Record<string, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmpv6' };
const DESCRIPTION = /^[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]{0,255}$/;

/**
 * What EC2 makes of a permission, or its refusal.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
 */
export function checkPermission(asked: Permission): CheckedPermission {
  checkDescription(asked.description);
  const protocol = checkProtocol(asked.protocol);
  return { ...asked, protocol, ...checkPorts(protocol, asked), ...checkPeer(asked) };
}

/**
 * Recorded wording: https://github.com/aws-cloudformation/cfn-lint/issues/173.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html
 */
export function checkDescription(description: string | undefined): void {
  if (description === undefined || DESCRIPTION.test(description)) return;
  throw invalidValue(
    'Invalid rule description. Valid descriptions are strings less than 256 characters from the following set: ' +
      ' a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*',
  );
}

/**
 * `6` is kept as `tcp`, and `all` is no protocol: https://github.com/mulgadc/spinifex/pull/946 and (the recorded
 * refusal) https://github.com/hashicorp/terraform-provider-aws/issues/1793.
 */
function checkProtocol(protocol: string): string {
  const name = PROTOCOL_NAMES[protocol] ?? protocol.toLowerCase();
  const known = name === '-1' || Object.values(PROTOCOL_NAMES).includes(name);
  if (known || (/^\d{1,3}$/.test(name) && Number(name) <= 255)) return name;
  throw invalidValue(`Invalid value '${protocol}' for IP protocol. Unknown protocol.`);
}

/**
 * Recorded wordings: https://github.com/aws/aws-sdk-go-v2/issues/1203 (a missing port) and
 * https://github.com/aws/aws-cli/issues/1066 (out of range).
 */
function checkPorts(
  protocol: string,
  { fromPort, toPort }: Permission,
): { fromPort: number; toPort: number } {
  if (protocol === 'tcp' || protocol === 'udp') {
    if (fromPort === undefined || toPort === undefined)
      throw invalidValue("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.");
    for (const [side, port] of [
      ['from', fromPort],
      ['to', toPort],
    ] as const) {
      if (port < 0 || port > 65535) throw invalidValue(`TCP/UDP (${side}) port (${port}) out of range`);
    }
    if (fromPort > toPort) throw invalidValue(`Invalid TCP/UDP port range (${fromPort}:${toPort})`);
    return { fromPort, toPort };
  }
  if (protocol === 'icmp' && (fromPort === undefined || toPort === undefined))
    throw invalidValue("Invalid value 'Must specify both from and to ports with ICMP.' for portRange.");
  if (protocol === 'icmp' || protocol === 'icmpv6') return { fromPort: fromPort ?? -1, toPort: toPort ?? -1 };
  // "-1 or a protocol number other than tcp, udp, icmp, or 58 allows traffic on all ports, regardless of any ports".
  return { fromPort: -1, toPort: -1 };
}

/**
 * Recorded: a bad CIDR in https://github.com/aws/aws-cli/issues/2428; host bits are cleared without a word in
 * https://github.com/ansible/ansible/issues/25403.
 */
function checkPeer(asked: Permission): Partial<Permission> {
  const { cidrIpv4, cidrIpv6, prefixListId, referencedGroupId } = asked;
  const peers = [cidrIpv4, cidrIpv6, prefixListId, referencedGroupId].filter((peer) => peer !== undefined);
  if (peers.length === 0) throw missingSource();
  if (peers.length > 1)
    throw new Rejection('InvalidParameterCombination', 'Only one source can be given for a rule.');
  if (cidrIpv4 !== undefined) return { cidrIpv4: checkCidr(cidrIpv4, 'ipv4') };
  if (cidrIpv6 !== undefined) return { cidrIpv6: checkCidr(cidrIpv6, 'ipv6') };
  return {};
}

/** Recorded: https://github.com/boto/boto3/issues/1078 */
export function missingSource(): Rejection {
  return new Rejection(
    'MissingParameter',
    'Missing source specification: include source security group or CIDR information',
  );
}

/** Changing a rule is stricter than adding one: https://github.com/alchemy-run/distilled/pull/608 */
export function checkHostBits({ cidrIpv4, cidrIpv6 }: Permission): void {
  const cidr = cidrIpv4 ?? cidrIpv6;
  const parsed = cidr === undefined ? undefined : parseCidr(cidr);
  if (parsed?.ok && parsed.hostBits) throw invalidValue(`CIDR block ${cidr} is malformed`);
}

function checkCidr(text: string, family: 'ipv4' | 'ipv6'): string {
  const parsed = parseCidr(text);
  if (!parsed.ok || !text.includes('/') || familyOf(parsed.cidr) !== family)
    throw invalidValue(`CIDR block ${text} is malformed`);
  return parsed.cidr;
}

/** Equal for permissions that EC2 holds to be the same rule (in one direction): protocol, ports and peer. */
export function identityOf(permission: CheckedPermission): string {
  const { protocol, fromPort, toPort } = permission;
  return [protocol, fromPort, toPort, peerOf(permission)].join(' ');
}

function peerOf(permission: Permission): string {
  const { cidrIpv4, cidrIpv6, prefixListId, referencedGroupId } = permission;
  return cidrIpv4 ?? cidrIpv6 ?? prefixListId ?? referencedGroupId ?? '';
}

/** As EC2 words a rule in its refusals: https://github.com/ansible/ansible-modules-core/pull/3258 and others. */
export function inWords(permission: CheckedPermission): string {
  const { protocol, fromPort, toPort } = permission;
  const peer = `peer: ${peerOf(permission)}`;
  if (protocol === '-1') return `${peer}, ALL, ALLOW`;
  if (protocol === 'tcp' || protocol === 'udp')
    return `${peer}, ${protocol.toUpperCase()}, from port: ${fromPort}, to port: ${toPort}, ALLOW`;
  if (protocol === 'icmp' || protocol === 'icmpv6')
    return `${peer}, ${protocol.toUpperCase()}, type: ${fromPort}, code: ${toPort}, ALLOW`;
  return `${peer}, protocol: ${protocol}, ALLOW`;
}
