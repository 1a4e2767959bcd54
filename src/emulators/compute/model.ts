import { type Family, familyOf, parseCidr } from '../../cidr.ts';
import { invalidField, missingField } from './answers.ts';
import type { FirewallFields } from './fields.ts';

interface ProtocolRule {
  readonly IPProtocol: string;
  readonly ports?: readonly string[];
}

/** What the client decides of a firewall rule, complete and valid. Lists that are empty are absent. */
export interface FirewallSpec {
  readonly name: string;
  readonly description?: string;
  /** Full URL. */
  readonly network: string;
  readonly priority: number;
  readonly direction: 'INGRESS' | 'EGRESS';
  readonly allowed?: readonly ProtocolRule[];
  readonly denied?: readonly ProtocolRule[];
  readonly sourceRanges?: readonly string[];
  readonly destinationRanges?: readonly string[];
  readonly sourceTags?: readonly string[];
  readonly targetTags?: readonly string[];
  readonly sourceServiceAccounts?: readonly string[];
  readonly targetServiceAccounts?: readonly string[];
  readonly disabled: boolean;
  readonly logConfig: { readonly enable: boolean; readonly metadata?: string };
}

/** A rule as the API shows it. */
export interface FirewallResource extends FirewallSpec {
  readonly kind: 'compute#firewall';
  readonly id: string;
  readonly creationTimestamp: string;
  readonly selfLink: string;
}

/** RFC 1035 names: https://docs.cloud.google.com/compute/docs/naming-resources */
const NAME = /^(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)$/;
const NAME_RULE = "Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'";
const NAMED_PROTOCOLS = ['ah', 'all', 'esp', 'icmp', 'ipip', 'sctp', 'tcp', 'udp'];

/**
 * Fills the defaults in and refuses what the API refuses. `network` must be a full URL already.
 * Throws `ApiError`.
 */
export function complete(fields: FirewallFields & { network: string }): FirewallSpec {
  const { name, network, description } = fields;
  if (typeof name !== 'string' || !NAME.test(name)) throw invalidField('name', name ?? '', NAME_RULE);
  const priority = fields.priority ?? 1000;
  if (priority < 0) throw invalidField('priority', priority, 'Must be greater than or equal to 0');
  if (priority > 65535) throw invalidField('priority', priority, 'Must be less than or equal to 65535');
  const direction = fields.direction ?? 'INGRESS';
  const allowed = protocolRules('allowed', fields.allowed);
  const denied = protocolRules('denied', fields.denied);
  // As recorded in https://github.com/forseti-security/forseti-security/pull/3844
  if (allowed && denied)
    throw invalidField('allowed[0]', '', 'Should not specify both allowed and denied in the same time.');
  if (!allowed && !denied) throw missingField('resource.allowed');
  const lists = presentLists(fields);
  refuseMixes(direction, lists);
  for (const field of ['sourceRanges', 'destinationRanges'] as const)
    if (lists[field]) lists[field] = canonicalRanges(field, lists[field]);
  const sources = lists.sourceRanges ?? lists.sourceTags ?? lists.sourceServiceAccounts;
  return {
    name,
    ...(typeof description === 'string' ? { description } : {}),
    network,
    priority,
    direction,
    ...(allowed ? { allowed } : {}),
    ...(denied ? { denied } : {}),
    ...lists,
    // Without a source the whole world is one: the trap of this API.
    // https://github.com/hashicorp/terraform-provider-google/issues/4031
    ...(direction === 'INGRESS' && !sources ? { sourceRanges: ['0.0.0.0/0'] } : {}),
    ...(direction === 'EGRESS' && !lists.destinationRanges ? { destinationRanges: ['0.0.0.0/0'] } : {}),
    disabled: fields.disabled ?? false,
    logConfig: {
      enable: fields.logConfig?.enable ?? false,
      ...(fields.logConfig?.metadata ? { metadata: fields.logConfig.metadata } : {}),
    },
  };
}

const LISTS = [
  'sourceRanges',
  'destinationRanges',
  'sourceTags',
  'targetTags',
  'sourceServiceAccounts',
  'targetServiceAccounts',
] as const;

type Lists = { [K in (typeof LISTS)[number]]?: readonly string[] };

function presentLists(fields: FirewallFields): Lists {
  return Object.fromEntries(
    LISTS.flatMap((key) => (fields[key]?.length ? [[key, fields[key]] as const] : [])),
  );
}

/** The combinations that https://docs.cloud.google.com/compute/docs/reference/rest/v1/firewalls rules out. */
function refuseMixes(direction: string, lists: Lists): void {
  const clash = (path: keyof Lists, rule: string) => {
    throw invalidField(path, lists[path]?.[0] ?? '', rule);
  };
  if (direction === 'EGRESS')
    for (const path of ['sourceTags', 'sourceServiceAccounts'] as const)
      if (lists[path]) clash(path, 'Must not be set for EGRESS firewall rules.');
  if (lists.sourceServiceAccounts || lists.targetServiceAccounts)
    for (const path of ['sourceTags', 'targetTags'] as const)
      if (lists[path]) clash(path, 'Tags and service accounts cannot be used in one firewall rule.');
}

function canonicalRanges(field: 'sourceRanges' | 'destinationRanges', ranges: readonly string[]): string[] {
  const families = new Set<Family>();
  const canonical = ranges.map((range, index) => {
    const parsed = parseCidr(range);
    // Refused, where other clouds clear the host bits: https://github.com/CartoDB/cartodb/pull/15649
    if (!parsed.ok || parsed.hostBits)
      throw invalidField(`${field}[${index}]`, range, 'Must be a valid CIDR address range.');
    families.add(familyOf(parsed.cidr));
    // IPv6 is given back shortened (https://github.com/kubernetes/ingress-gce/pull/2898). A bare IPv4 address is
    // taken (https://github.com/hashicorp/terraform-provider-google/issues/7322), and kept here as it was sent.
    return familyOf(parsed.cidr) === 'ipv6' ? parsed.cidr : range;
  });
  // "Either IPv4 or IPv6 ranges, but not both": https://docs.cloud.google.com/firewall/docs/using-firewalls
  if (families.size > 1)
    throw invalidField(
      `${field}[0]`,
      ranges[0],
      'IPv4 and IPv6 ranges cannot be combined in one firewall rule.',
    );
  return canonical;
}

function protocolRules(
  field: 'allowed' | 'denied',
  given: FirewallFields['allowed'],
): ProtocolRule[] | undefined {
  if (!given?.length) return undefined;
  return given.map(({ IPProtocol, ports }, index) => {
    const path = `${field}[${index}]`;
    if (IPProtocol === undefined) throw missingField(`resource.${path}.IPProtocol`);
    const protocol = IPProtocol.toLowerCase();
    const known =
      NAMED_PROTOCOLS.includes(protocol) || (/^\d{1,3}$/.test(protocol) && Number(protocol) <= 255);
    // https://github.com/terraform-google-modules/terraform-google-network/issues/535
    if (!known)
      throw invalidField(
        `${path}.IPProtocol`,
        IPProtocol,
        `Must be one of ${JSON.stringify(NAMED_PROTOCOLS).replaceAll(',', ', ')} or an IP protocol number between 0 and 255.`,
      );
    if (!ports?.length) return { IPProtocol: protocol };
    // Ports "only for protocols that have them": https://docs.cloud.google.com/firewall/docs/firewalls#protocols_and_ports
    if (!['tcp', 'udp', 'sctp', '6', '17', '132'].includes(protocol))
      throw invalidField(`${path}.ports[0]`, ports[0], 'Ports are allowed for TCP, UDP and SCTP only.');
    // As recorded in https://github.com/GoogleCloudPlatform/google-cloud-powershell/issues/537
    for (const [at, port] of ports.entries())
      if (!isPortRange(port))
        throw invalidField(`${path}.ports[${at}]`, port, 'Invalid port range specification.');
    return { IPProtocol: protocol, ports };
  });
}

function isPortRange(text: string): boolean {
  if (!/^\d{1,5}(-\d{1,5})?$/.test(text)) return false;
  const [from = 0, to = from] = text.split('-').map(Number);
  return from <= to && to <= 65535;
}
