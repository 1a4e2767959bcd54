import { z } from 'zod';
import { familyOf, parseCidr } from '../../cidr.ts';
import { ApiError, invalidField } from './answers.ts';

const list = z.array(z.string()).nullish();
const rules = z.array(z.strictObject({ IPProtocol: z.string().optional(), ports: list })).nullish();

/** The fields of https://docs.cloud.google.com/compute/docs/reference/rest/v1/firewalls, as a client may send them. */
export const fieldsSchema = z.strictObject({
  name: z.string().nullish(),
  description: z.string().nullish(),
  network: z.string().nullish(),
  priority: z.int().nullish(),
  direction: z.enum(['INGRESS', 'EGRESS']).nullish(),
  allowed: rules,
  denied: rules,
  sourceRanges: list,
  destinationRanges: list,
  sourceTags: list,
  targetTags: list,
  sourceServiceAccounts: list,
  targetServiceAccounts: list,
  disabled: z.boolean().nullish(),
  logConfig: z.strictObject({ enable: z.boolean().nullish(), metadata: z.string().nullish() }).nullish(),
  params: z.unknown().optional(),
  // Output only: taken and ignored, so that what was read can be sent back.
  kind: z.unknown().optional(),
  id: z.unknown().optional(),
  creationTimestamp: z.unknown().optional(),
  selfLink: z.unknown().optional(),
});

export type FirewallFields = z.output<typeof fieldsSchema>;

export interface ProtocolRule {
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
 * Throws {@link ApiError}.
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
  if (allowed && denied)
    throw new ApiError(400, 'invalid', 'Only one of allowed or denied may be specified for a firewall rule.');
  if (!allowed && !denied)
    throw new ApiError(
      400,
      'required',
      "Required field 'resource.allowed' or 'resource.denied' not specified",
    );
  const lists = presentLists(fields);
  refuseMixes(direction, lists);
  for (const field of ['sourceRanges', 'destinationRanges'] as const) checkRanges(field, lists[field] ?? []);
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
    // "If neither is set, the rule applies to 0.0.0.0/0": the trap of this API.
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

/** The combinations that the field reference rules out. */
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

function checkRanges(field: 'sourceRanges' | 'destinationRanges', ranges: readonly string[]): void {
  const families = new Set<string>();
  for (const [index, range] of ranges.entries()) {
    const parsed = parseCidr(range);
    if (!parsed.ok || parsed.hostBits)
      throw invalidField(`${field}[${index}]`, range, 'Must be a valid CIDR address range.');
    families.add(familyOf(parsed.cidr));
  }
  // One rule holds one family: https://docs.cloud.google.com/firewall/docs/firewalls#protocols_and_ports
  if (families.size > 1)
    throw invalidField(field, ranges, 'IPv4 and IPv6 ranges cannot be combined in one firewall rule.');
}

function protocolRules(
  field: 'allowed' | 'denied',
  given: FirewallFields['allowed'],
): ProtocolRule[] | undefined {
  if (!given?.length) return undefined;
  return given.map(({ IPProtocol, ports }, index) => {
    const path = `${field}[${index}]`;
    if (IPProtocol === undefined)
      throw new ApiError(400, 'required', `Required field 'resource.${path}.IPProtocol' not specified`);
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
    if (!['tcp', 'udp', 'sctp', '6', '17', '132'].includes(protocol))
      throw invalidField(`${path}.ports[0]`, ports[0], 'Ports are allowed for TCP, UDP and SCTP only.');
    for (const [at, port] of ports.entries())
      if (!isPortRange(port))
        throw invalidField(`${path}.ports[${at}]`, port, 'Must be an integer or a range from 0 to 65535.');
    return { IPProtocol: protocol, ports };
  });
}

function isPortRange(text: string): boolean {
  if (!/^\d{1,5}(-\d{1,5})?$/.test(text)) return false;
  const [from = 0, to = from] = text.split('-').map(Number);
  return from <= to && to <= 65535;
}
