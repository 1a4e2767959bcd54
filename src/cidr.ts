import { isIPv4, isIPv6 } from 'node:net';
import { containsCidr, parseCidr as measure, normalizeCidr, overlapCidr } from 'cidr-tools';

declare const canonical: unique symbol;

/**
 * A canonical CIDR: host bits cleared, prefix written out (`/32`, `/128` included), IPv6 compressed and in
 * lower case as in RFC 5952. Only {@link parseCidr} makes one, so equal networks are equal strings.
 */
export type Cidr = string & { readonly [canonical]: true };

export type Family = 'ipv4' | 'ipv6';

export type ParsedCidr =
  | { ok: true; cidr: Cidr; hostBits: boolean }
  /** `reason` finishes the sentence "«text» is no address: …". */
  | { ok: false; reason: string };

const V4 = /^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}$/;
const V6 = /^[0-9a-fA-F:.]{2,45}$/;
const PREFIX = /^(?:0|[1-9]\d{0,2})$/;

/**
 * Reads one address or CIDR, strictly: nothing around it, no zone, no port, no leading zeros, ASCII digits only.
 * cidr-tools validates nothing (`999.1.1.1` becomes another address), so nothing reaches it from anywhere else.
 * IPv6 text forms: RFC 4291 section 2.2; canonical form: RFC 5952 section 4.
 */
export function parseCidr(text: string): ParsedCidr {
  const slash = text.indexOf('/');
  const address = slash === -1 ? text : text.slice(0, slash);
  const family = familyOfAddress(address);
  if (!family) return { ok: false, reason: 'neither an IPv4 nor an IPv6 address' };
  const bits = family === 'ipv4' ? 32 : 128;
  const prefixText = slash === -1 ? String(bits) : text.slice(slash + 1);
  if (!PREFIX.test(prefixText) || Number(prefixText) > bits)
    return { ok: false, reason: `the prefix must be 0 to ${bits}` };
  // Compressing by hand what is already the network address: normalizeCidr clears host bits and drops /32 and /128.
  const network = normalizeCidr(`${address}/${prefixText}`).split('/')[0];
  const cidr = `${network}/${prefixText}`;
  assertCidr(cidr);
  const { start, ip } = measure(`${address}/${prefixText}`);
  return { ok: true, cidr, hostBits: measure(`${ip}/${bits}`).start !== start };
}

/** A {@link Cidr} from text that must be one. Throws `TypeError` with the reason; for constants and own output. */
export function toCidr(text: string): Cidr {
  const parsed = parseCidr(text);
  if (!parsed.ok) throw new TypeError(`«${text}» is no address: ${parsed.reason}`);
  return parsed.cidr;
}

export function familyOf(cidr: Cidr): Family {
  return cidr.includes(':') ? 'ipv6' : 'ipv4';
}

export function prefixLength(cidr: Cidr): number {
  return Number(cidr.slice(cidr.indexOf('/') + 1));
}

/** Whether every address of `inner` lies in one of `outer`. False when `outer` is empty. */
export function contains(outer: Cidr | readonly Cidr[], inner: Cidr): boolean {
  return containsCidr([...[outer].flat()], inner);
}

export function overlaps(a: Cidr, b: Cidr): boolean {
  return overlapCidr(a, b);
}

/** Order of every list that is shown or hashed: IPv4 before IPv6, then by network, then the broader first. */
export function compareCidrs(a: Cidr, b: Cidr): number {
  const [left, right] = [familyOf(a), familyOf(b)];
  if (left !== right) return left < right ? -1 : 1;
  const [x, y] = [measure(a).start, measure(b).start];
  if (x !== y) return x < y ? -1 : 1;
  return prefixLength(a) - prefixLength(b);
}

/** Sorted, without duplicates. */
export function sortCidrs(cidrs: Iterable<Cidr>): Cidr[] {
  return [...new Set(cidrs)].sort(compareCidrs);
}

/** The open world, which no target may ever be given: `0.0.0.0/0` and `::/0`. */
export function isWorld(cidr: Cidr): boolean {
  return prefixLength(cidr) === 0;
}

/**
 * The name of the special-purpose range that `cidr` touches, or `undefined` for ordinary global unicast.
 * IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890), multicast (RFC 5771, RFC 4291), and for IPv6
 * everything outside 2000::/3, the only block that is allocated for global unicast.
 */
export function specialRange(cidr: Cidr): { name: string; range: Cidr } | undefined {
  const family = familyOf(cidr);
  for (const [range, name] of SPECIAL) {
    if (familyOf(range) === family && overlaps(range, cidr)) return { name, range };
  }
  return undefined;
}

function familyOfAddress(address: string): Family | undefined {
  if (V4.test(address) && isIPv4(address)) return 'ipv4';
  if (V6.test(address) && address.includes(':') && isIPv6(address)) return 'ipv6';
  return undefined;
}

function assertCidr(text: string): asserts text is Cidr {
  if (!/^[0-9a-f:.]+\/\d{1,3}$/.test(text)) throw new TypeError(`«${text}» is not canonical`);
}

const SPECIAL: readonly (readonly [Cidr, string])[] = (
  [
    ['0.0.0.0/8', 'this network'],
    ['10.0.0.0/8', 'private use'],
    ['100.64.0.0/10', 'carrier-grade NAT'],
    ['127.0.0.0/8', 'loopback'],
    ['169.254.0.0/16', 'link-local'],
    ['172.16.0.0/12', 'private use'],
    ['192.0.0.0/24', 'IETF protocol assignments'],
    ['192.0.2.0/24', 'documentation'],
    ['192.31.196.0/24', 'AS112'],
    ['192.52.193.0/24', 'AMT'],
    ['192.88.99.0/24', '6to4 relay anycast'],
    ['192.168.0.0/16', 'private use'],
    ['192.175.48.0/24', 'AS112'],
    ['198.18.0.0/15', 'benchmarking'],
    ['198.51.100.0/24', 'documentation'],
    ['203.0.113.0/24', 'documentation'],
    ['224.0.0.0/4', 'multicast'],
    ['240.0.0.0/4', 'reserved'],
    ['::/128', 'unspecified'],
    ['::1/128', 'loopback'],
    ['::ffff:0:0/96', 'IPv4-mapped'],
    ['64:ff9b::/96', 'IPv4/IPv6 translation'],
    ['64:ff9b:1::/48', 'IPv4/IPv6 translation'],
    ['100::/64', 'discard only'],
    ['2001::/23', 'IETF protocol assignments'],
    ['2001:db8::/32', 'documentation'],
    ['2002::/16', '6to4'],
    ['2620:4f:8000::/48', 'AS112'],
    ['3fff::/20', 'documentation'],
    ['5f00::/16', 'segment routing'],
    ['fc00::/7', 'unique local'],
    ['fe80::/10', 'link-local'],
    ['fec0::/10', 'site-local'],
    ['ff00::/8', 'multicast'],
    ['::/3', 'not global unicast'],
    ['4000::/2', 'not global unicast'],
    ['8000::/1', 'not global unicast'],
  ] as const
).map(([range, name]) => [toCidr(range), name]);
