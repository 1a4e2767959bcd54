import type { Entry, Service } from '../providers/provider.ts';
import { type Cidr, compareCidrs } from './cidr.ts';

/** An entry's identity inside one target: what is opened, and to whom. Never the description, never the owner. */
export type EntryKey = string;

export function entryKey(entry: Service & { readonly cidr: Cidr }): EntryKey {
  return `${entry.cidr} ${serviceName(entry)}`;
}

/** `tcp 5432`, `all`, or `any` for a plain list of addresses. */
export function serviceName({ protocol, ports }: Service): string {
  if (protocol === null) return 'any';
  return ports === null ? protocol : `${protocol} ${ports}`;
}

/** What people read: `34.19.100.134/32 tcp 5432`, or the address alone where nothing else is managed. */
export function entryName(entry: Service & { readonly cidr: Cidr }): string {
  return entry.protocol === null ? entry.cidr : `${entry.cidr} ${serviceName(entry)}`;
}

/** Every address on every service, in the order of all lists. */
export function entriesOf(
  cidrs: readonly Cidr[],
  services: readonly Service[],
): (Service & { readonly cidr: Cidr })[] {
  return cidrs.flatMap((cidr) => services.map(({ protocol, ports }) => ({ cidr, protocol, ports })));
}

export function compareEntries(a: Service & { cidr: Cidr }, b: Service & { cidr: Cidr }): number {
  return (
    compareCidrs(a.cidr, b.cidr) || serviceName(a).localeCompare(serviceName(b), 'en', { numeric: true })
  );
}

/** The entries by their keys; where two have one key, an owned one is kept. */
export function byKey(entries: readonly Entry[], isOurs: (entry: Entry) => boolean): Map<EntryKey, Entry> {
  const map = new Map<EntryKey, Entry>();
  for (const entry of entries) {
    const key = entryKey(entry);
    const known = map.get(key);
    if (!known || (!isOurs(known) && isOurs(entry))) map.set(key, entry);
  }
  return map;
}
