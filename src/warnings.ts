import { type Entry, isOurs, type Service, type Snapshot, servicesMeet } from '../providers/provider.ts';
import { type Cidr, contains, isWorld } from './cidr.ts';
import type { DriftContext } from './drift.ts';
import { byKey, entryKey, entryName } from './entries.ts';

/** What is worth a person's look without being wrong. One list for the code, the schema and the docs. */
export const WARNINGS = {
  'open-to-world': 'a managed port is open to everyone beside the managed entries: the allowlist is moot',
  covered: 'a broader entry covers managed ones: taking an address off the list will not close it',
  'stale-unmanaged': 'an address left the list and is still open through an entry that is not ours',
  'satisfied-by-unowned': 'somebody else made an identical entry: it is counted, not adopted and not deleted',
  orphaned: 'an entry carries the marker of a target that the config does not know',
  'rule-disabled': 'somebody disabled the rule; it is left disabled',
  'capacity-unknown': 'the capacity could not be read exactly',
  'removals-deferred': 'owned entries are no longer desired, and nothing is removed in this run',
  'guard-off': 'a guard is switched off for this target',
  unproven: 'additions were written and do not show yet: removals wait for them',
  'state-lost': 'nothing is remembered of earlier runs: delays start again',
  note: 'said by the provider',
} as const;

type WarningCode = keyof typeof WARNINGS;

export interface Warning {
  readonly code: WarningCode;
  readonly detail: string;
}

interface WarningContext extends DriftContext {
  readonly snapshot: Snapshot;
  readonly desired: ReadonlySet<Cidr>;
  /** Targets of this owner that the config knows, previous names included. */
  readonly knownTargets: ReadonlySet<string>;
  /** Addresses that left the list. */
  readonly gone: (cidr: Cidr) => boolean;
}

/** Everything a snapshot gives reason to warn of, in a stable order. */
export function warningsOf(context: WarningContext): Warning[] {
  const { snapshot, identity, services, desired, knownTargets, gone } = context;
  const ours = (entry: Entry) => isOurs(entry.marker, identity);
  // The whole world is too many whoever let it in; all else that is ours is the plan's business.
  const open = [...snapshot.entries, ...snapshot.beside].filter(
    (entry) => (!ours(entry) || isWorld(entry.cidr)) && meets(entry, services),
  );
  const managed = [...desired];
  const warnings: Warning[] = [...snapshot.warnings];
  for (const entry of open) {
    const name = `${entryName(entry)} (${entry.id})`;
    if (isWorld(entry.cidr)) {
      warnings.push({
        code: 'open-to-world',
        detail: `${name} opens the port to everyone: the allowlist is moot`,
      });
      continue;
    }
    const covers = managed.filter((cidr) => contains(entry.cidr, cidr) && !exact(entry, cidr, services));
    if (covers.length > 0)
      warnings.push({
        code: 'covered',
        detail: `${name} covers ${covers.length} of ${managed.length} managed addresses`,
      });
    if (!desired.has(entry.cidr) && gone(entry.cidr))
      warnings.push({
        code: 'stale-unmanaged',
        detail: `${name} is no longer published, and not ours to remove`,
      });
  }
  warnings.push(...satisfied(context), ...orphans(snapshot.entries, identity, knownTargets));
  return warnings;
}

/** Entries that are not ours and open a managed port to an address that is not desired. */
export function foreignEntries({ snapshot, identity, services, desired }: WarningContext): Entry[] {
  return snapshot.entries.filter(
    (entry) =>
      !isOurs(entry.marker, identity) &&
      meets(entry, services) &&
      !desired.has(entry.cidr) &&
      !contains([...desired], entry.cidr),
  );
}

function satisfied({ snapshot, identity, services, desired }: WarningContext): Warning[] {
  const isOwned = (entry: Entry) => isOurs(entry.marker, identity);
  const others = [...byKey(snapshot.entries, isOwned).values()].filter(
    (entry) => !isOwned(entry) && desired.has(entry.cidr) && services.some((one) => sameService(one, entry)),
  );
  const [first] = others;
  if (!first) return [];
  const names = others.map(entryName).slice(0, 3).join(', ');
  const more = others.length > 3 ? ` and ${others.length - 3} more` : '';
  return [{ code: 'satisfied-by-unowned', detail: `${names}${more}: made by somebody else, left as it is` }];
}

function orphans(
  entries: readonly Entry[],
  { owner, target }: DriftContext['identity'],
  knownTargets: ReadonlySet<string>,
): Warning[] {
  const counts = new Map<string, number>();
  for (const { marker } of entries) {
    if (marker?.owner !== owner || marker.target === target || knownTargets.has(marker.target)) continue;
    counts.set(marker.target, (counts.get(marker.target) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => ({
    code: 'orphaned',
    detail: `${count} entries belong to ${owner}/${name}, which the config does not know; if it was renamed, name it in previousNames`,
  }));
}

function meets(entry: Entry, services: readonly Service[]): boolean {
  return services.some((service) => servicesMeet(entry, service));
}

function exact(entry: Entry, cidr: Cidr, services: readonly Service[]): boolean {
  return services.some((service) => entryKey({ ...service, cidr }) === entryKey(entry));
}

function sameService(a: Service, b: Service): boolean {
  return a.protocol === b.protocol && a.ports === b.ports;
}
