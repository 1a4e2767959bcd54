import { canonicalPorts, portBounds, type Service } from '../provider.ts';

/** One item of a rule's `allowed` or `denied`, as the API gives it. */
export interface ProtocolPorts {
  readonly IPProtocol: string;
  /** Empty: every port. */
  readonly ports: readonly string[];
}

/**
 * The services that a rule's items open, protocols by their names. The API takes numbers too, and gives back what it
 * was given. https://cloud.google.com/firewall/docs/firewalls#protocols_and_ports
 */
export function servicesOfItems(items: readonly ProtocolPorts[]): Service[] {
  return items.flatMap(({ IPProtocol, ports }): Service[] => {
    const protocol = nameOf(IPProtocol);
    if (ports.length === 0) return [{ protocol, ports: null }];
    return ports.map((text) => ({ protocol, ports: canonicalPorts(text) }));
  });
}

/** The items that open these services, one a protocol. */
export function itemsOf(services: readonly Service[]): { IPProtocol: string; ports: string[] }[] {
  return [...byProtocol(services)].map(([IPProtocol, group]) => ({
    IPProtocol,
    ports: group.flatMap(({ ports }) => (ports === null ? [] : [ports])),
  }));
}

/**
 * What these services open, in one form whatever the order, overlaps and number of items: `tcp:5432,6432-6439 udp:53`;
 * a protocol alone when all its ports are open.
 */
export function servicesText(services: readonly Service[]): string {
  if (services.some(({ protocol }) => protocol === 'all')) return 'all';
  return [...byProtocol(services)]
    .map(([protocol, group]) => {
      const ranges = merged(group.map(({ ports }) => portBounds(ports)));
      const everything = ranges.some(([from, to]) => from === 0 && to === 65535);
      return everything ? protocol : `${protocol}:${ranges.map(rangeText).join(',')}`;
    })
    .sort()
    .join(' ');
}

function byProtocol(services: readonly Service[]): Map<string, Service[]> {
  const groups = new Map<string, Service[]>();
  for (const service of services) {
    const protocol = service.protocol ?? 'all';
    const group = groups.get(protocol);
    if (group) group.push(service);
    else groups.set(protocol, [service]);
  }
  return groups;
}

type Range = readonly [from: number, to: number];

/** Sorted; what overlaps or touches is one. */
function merged(ranges: readonly Range[]): Range[] {
  const result: Range[] = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = result.at(-1);
    if (last && from <= last[1] + 1) result[result.length - 1] = [last[0], Math.max(last[1], to)];
    else result.push([from, to]);
  }
  return result;
}

function rangeText([from, to]: Range): string {
  return from === to ? String(from) : `${from}-${to}`;
}

/** https://www.iana.org/assignments/protocol-numbers for the names that the API knows. */
const NAMES: Readonly<Record<string, string>> = {
  '1': 'icmp',
  '6': 'tcp',
  '17': 'udp',
  '50': 'esp',
  '51': 'ah',
  '94': 'ipip',
  '132': 'sctp',
};

function nameOf(protocol: string): string {
  return NAMES[protocol] ?? protocol.toLowerCase();
}
