import { type Cidr, contains, familyOf, prefixLength, specialRange } from '../cidr.ts';
import type { Safety } from '../config.ts';
import type { GuardName, LIST_GUARDS } from './names.ts';
import type { OwnedRange } from './provenance.ts';

type ListGuard = (typeof LIST_GUARDS)[number];

/** What a guard has against a list. A refusal cannot be approved; a hold can, by the id of the list. */
export interface Finding {
  readonly guard: ListGuard;
  readonly effect: 'refuse' | 'hold';
  /** The numbers: n of total, the limit, and where to change it. */
  readonly detail: string;
  readonly cidrs: readonly Cidr[];
}

/** The publisher's own ranges. */
export type Ranges =
  | {
      readonly kind: 'known';
      readonly cidrs: readonly Cidr[];
      /** Ranges that do not count, to name the owner of an address outside. */
      readonly others?: readonly OwnedRange[];
      readonly from: string;
    }
  /** Could be had neither fresh nor from the cache. */
  | { readonly kind: 'unavailable'; readonly detail: string }
  /** Provenance has nothing to say about these sources, or was not needed. */
  | { readonly kind: 'not-asked' };

export interface ListFacts {
  /** Sorted, canonical. */
  readonly candidate: readonly Cidr[];
  /** The last accepted list; without state what targets hold as owned; empty for the first list ever. */
  readonly baseline: readonly Cidr[];
  /** The largest list of the last seven days (or since the last approval): what shrinking is measured against. */
  readonly largest: readonly Cidr[];
  readonly ranges: Ranges;
}

export type Limits = Pick<
  Safety,
  'minEntries' | 'maxEntries' | 'minPrefixLength' | 'maxGrowth' | 'maxShrink' | 'provenance'
>;

type Guard = (facts: ListFacts, limits: Limits) => Omit<Finding, 'guard'> | undefined;

/** Every list guard by its name, in the order in which findings are shown. */
const GUARDS: { readonly [name in ListGuard]: Guard } = {
  'min-entries': ({ candidate }, { minEntries }) =>
    candidate.length >= minEntries
      ? undefined
      : refuse(`${candidate.length} entries, fewer than safety.minEntries (${minEntries})`, []),

  'max-entries': ({ candidate }, { maxEntries }) =>
    candidate.length <= maxEntries
      ? undefined
      : refuse(`${candidate.length} entries, more than safety.maxEntries (${maxEntries})`, []),

  'special-addresses': ({ candidate }) => {
    const special = candidate.flatMap((cidr) => {
      const range = specialRange(cidr);
      return range ? [{ cidr, text: `${cidr} lies in ${range.range} (${range.name})` }] : [];
    });
    if (special.length === 0) return undefined;
    const detail = `${special.length} of ${candidate.length} are special-purpose addresses: ${some(special.map(({ text }) => text))}`;
    return refuse(
      detail,
      special.map(({ cidr }) => cidr),
    );
  },

  'prefix-length': ({ candidate }, { minPrefixLength }) => {
    const broad = candidate.filter((cidr) => prefixLength(cidr) < minPrefixLength[familyOf(cidr)]);
    if (broad.length === 0) return undefined;
    const { ipv4, ipv6 } = minPrefixLength;
    const detail = `${broad.length} of ${candidate.length} are broader than safety.minPrefixLength (/${ipv4}, /${ipv6}): ${some(broad)}`;
    return refuse(detail, broad);
  },

  growth: (facts, { maxGrowth, provenance }) => {
    const { baseline, candidate } = facts;
    const added = without(candidate, baseline);
    // The first list ever has nothing to grow from.
    if (baseline.length === 0 || !exceeds(added.length, baseline.length, maxGrowth)) return undefined;
    if (isVouched(added, facts.ranges, provenance)) return undefined;
    const numbers = `${added.length} new beside ${baseline.length}`;
    return hold(`${numbers}; the limit is ${limitText(maxGrowth)} (safety.maxGrowth): ${some(added)}`, added);
  },

  shrink: ({ largest, candidate }, { maxShrink }) => {
    const gone = without(largest, candidate);
    if (!exceeds(gone.length, largest.length, maxShrink)) return undefined;
    const numbers = `${gone.length} of ${largest.length} would go`;
    return hold(`${numbers}; the limit is ${limitText(maxShrink)} (safety.maxShrink): ${some(gone)}`, gone);
  },

  provenance: ({ baseline, candidate, ranges }, { provenance }) => {
    const added = without(candidate, baseline);
    if (provenance.mode !== 'require' || added.length === 0) return undefined;
    if (ranges.kind === 'unavailable' && provenance.whenUnavailable === 'hold')
      return hold(
        `${added.length} new, and the publisher's ranges are unavailable (${ranges.detail})`,
        added,
      );
    const strange = outside(added, ranges) ?? [];
    if (strange.length === 0) return undefined;
    const scopes = provenance.scopes.join(', ');
    const detail = `${strange.length} of ${added.length} new addresses lie outside the publisher's ranges (${scopes}; safety.provenance): ${some(named(strange, ranges))}`;
    return hold(detail, strange);
  },
};

/** What the guards have against a list, but for those in `off`. Empty: it may be accepted. */
export function judgeList(
  facts: ListFacts,
  limits: Limits,
  off: ReadonlySet<GuardName> = new Set(),
): Finding[] {
  return Object.entries(GUARDS).flatMap(([name, guard]) => {
    const finding = isListGuard(name) && !off.has(name) ? guard(facts, limits) : undefined;
    return finding && isListGuard(name) ? [{ guard: name, ...finding }] : [];
  });
}

/** What passes, and people should know all the same: provenance that only warns, or that lifted the growth limit. */
export function notesOn(
  { baseline, candidate, ranges }: ListFacts,
  { maxGrowth, provenance }: Limits,
): string[] {
  const added = without(candidate, baseline);
  const strange = provenance.mode === 'warn' ? (outside(added, ranges) ?? []) : [];
  const grows = baseline.length > 0 && exceeds(added.length, baseline.length, maxGrowth);
  return [
    ...(strange.length > 0
      ? [
          `${strange.length} of ${added.length} lie outside the publisher's ranges: ${some(named(strange, ranges))}`,
        ]
      : []),
    ...(grows && isVouched(added, ranges, provenance)
      ? [
          `${added.length} new beside ${baseline.length} exceed safety.maxGrowth; they passed since all lie inside the publisher's ranges`,
        ]
      : []),
  ];
}

/** Addresses with the owner of their range, where the published ranges tell it. */
function named(cidrs: readonly Cidr[], ranges: Ranges): string[] {
  const others = (ranges.kind === 'known' && ranges.others) || [];
  return cidrs.map((cidr) => {
    const owner = others.find(({ range }) => contains(range, cidr))?.owner;
    return `${cidr} (${owner ?? 'owner unknown'})`;
  });
}

function isVouched(added: readonly Cidr[], ranges: Ranges, { maxVouched }: Limits['provenance']): boolean {
  return added.length <= maxVouched && outside(added, ranges)?.length === 0;
}

/** The new addresses that no range covers; undefined when there are no ranges to go by. */
function outside(added: readonly Cidr[], ranges: Ranges): Cidr[] | undefined {
  // Without any range nothing would be covered, and nothing would be outside either: that is no knowledge.
  if (ranges.kind !== 'known' || ranges.cidrs.length === 0) return undefined;
  return added.filter((cidr) => !contains(ranges.cidrs, cidr));
}

/** What is in `list` and not in `other`. */
export function without(list: readonly Cidr[], other: readonly Cidr[]): Cidr[] {
  const known = new Set(other);
  return list.filter((cidr) => !known.has(cidr));
}

/** Whether a limit is strictly exceeded, by its count or by its percentage of `total`. */
export function exceeds(
  changed: number,
  total: number,
  { count, percent }: { count: number | null; percent: number | null },
): boolean {
  const tooMany = count !== null && changed > count;
  const tooLarge = percent !== null && total > 0 && changed * 100 > percent * total;
  return tooMany || tooLarge;
}

export function limitText({ count, percent }: { count: number | null; percent: number | null }): string {
  const parts = [count === null ? [] : [String(count)], percent === null ? [] : [`${percent} %`]].flat();
  return parts.join(' or ') || 'none';
}

/** A few of many, for a line that people read. */
export function some(items: readonly string[], most = 3): string {
  const more = items.length > most ? ` and ${items.length - most} more` : '';
  return items.slice(0, most).join(', ') + more;
}

function refuse(detail: string, cidrs: readonly Cidr[]): Omit<Finding, 'guard'> {
  return { effect: 'refuse', detail, cidrs };
}

function hold(detail: string, cidrs: readonly Cidr[]): Omit<Finding, 'guard'> {
  return { effect: 'hold', detail, cidrs };
}

function isListGuard(name: string): name is ListGuard {
  return Object.hasOwn(GUARDS, name);
}
