import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Cidr, toCidr } from '../../src/cidr.ts';
import {
  exceeds,
  judgeList,
  type Limits,
  type ListFacts,
  limitText,
  notesOn,
  some,
} from '../../src/guards/list.ts';
import { LIST_GUARDS } from '../../src/guards/names.ts';
import { address, cidrs } from '../support/plans.ts';

const LIMITS: Limits = {
  minEntries: 2,
  maxEntries: 20,
  minPrefixLength: { ipv4: 24, ipv6: 48 },
  maxGrowth: { count: 10, percent: 50 },
  maxShrink: { count: 5, percent: 30 },
  provenance: {
    mode: 'require',
    url: 'https://example.com/cloud.json',
    scopes: ['us-west1'],
    sources: ['streamlit-docs'],
    maxAge: 0,
    whenUnavailable: 'warn',
    maxVouched: 8,
  },
};

const range = (from: number, to: number): Cidr[] =>
  Array.from({ length: to - from + 1 }, (_, n) => address(from + n));
const KNOWN = { kind: 'known' as const, cidrs: cidrs('34.19.0.0/17', '2600:1900::/28'), from: 'here' };

function facts(
  candidate: readonly Cidr[],
  baseline: readonly Cidr[],
  more: Partial<ListFacts> = {},
): ListFacts {
  return { candidate, baseline, largest: baseline, ranges: { kind: 'not-asked' }, ...more };
}

const judge = (
  given: ListFacts,
  limits: Partial<Limits> = {},
  off: readonly (typeof LIST_GUARDS)[number][] = [],
) =>
  judgeList(given, { ...LIMITS, ...limits }, new Set(off)).map(({ guard, effect }) => `${guard} ${effect}`);
const provenance = (more: Partial<Limits['provenance']>) => ({
  provenance: { ...LIMITS.provenance, ...more },
});

describe.each<[(typeof LIST_GUARDS)[number], 'refuse' | 'hold', ListFacts, ListFacts, string]>([
  [
    'min-entries',
    'refuse',
    facts(range(1, 1), []),
    facts(range(1, 2), []),
    '1 entries, fewer than safety.minEntries (2)',
  ],
  [
    'max-entries',
    'refuse',
    facts(range(1, 21), []),
    facts(range(1, 20), []),
    '21 entries, more than safety.maxEntries (20)',
  ],
  [
    'special-addresses',
    'refuse',
    facts([...range(1, 3), toCidr('10.1.2.3/32')], []),
    facts(range(1, 4), []),
    '1 of 4 are special-purpose addresses: 10.1.2.3/32 lies in 10.0.0.0/8 (private use)',
  ],
  [
    'prefix-length',
    'refuse',
    facts([...range(1, 3), toCidr('34.99.0.0/23')], []),
    facts([...range(1, 3), toCidr('34.99.0.0/24')], []),
    '1 of 4 are broader than safety.minPrefixLength (/24, /48): 34.99.0.0/23',
  ],
  [
    'growth',
    'hold',
    facts(range(1, 7), range(1, 4)),
    facts(range(1, 6), range(1, 4)),
    '3 new beside 4; the limit is 10 or 50 % (safety.maxGrowth): 34.19.100.5/32, 34.19.100.6/32, 34.19.100.7/32',
  ],
  [
    'shrink',
    'hold',
    facts(range(1, 6), range(1, 9)),
    facts(range(1, 7), range(1, 9)),
    '3 of 9 would go; the limit is 5 or 30 % (safety.maxShrink): 34.19.100.7/32, 34.19.100.8/32, 34.19.100.9/32',
  ],
  [
    'provenance',
    'hold',
    facts([...range(1, 4), toCidr('34.99.0.1/32')], range(1, 4), { ranges: KNOWN }),
    facts(range(1, 5), range(1, 4), { ranges: KNOWN }),
    "1 of 1 new addresses lie outside the publisher's ranges (us-west1; safety.provenance): 34.99.0.1/32",
  ],
])('the guard %s', (guard, effect, bad, good, detail) => {
  test(`would ${effect}, with the numbers and where to change them`, () => {
    const found = judgeList(bad, LIMITS);
    expect(found.map((one) => [one.guard, one.effect])).toEqual([[guard, effect]]);
    expect(found[0]?.detail).toContain(detail);
  });
  test('has nothing against what is within its limit, and nothing to say when it is off', () => {
    expect(judgeList(good, LIMITS)).toEqual([]);
    expect(judge(bad, {}, [guard])).toEqual([]);
  });
});

test('every guard has its case above', () => {
  expect(LIST_GUARDS).toHaveLength(7);
});

describe('growth', () => {
  test('of the first list ever has nothing to grow from', () => {
    expect(judge(facts(range(1, 18), []))).toEqual([]);
  });
  test('counts what is new, not how the length changed: a list swapped whole is held', () => {
    expect(judge(facts(range(5, 8), range(1, 4)))).toEqual(['growth hold', 'shrink hold']);
  });
  test('inside the publisher’s ranges needs no limit, up to maxVouched', () => {
    expect(judge(facts(range(1, 12), range(1, 4), { ranges: KNOWN }))).toEqual([]);
    expect(judge(facts(range(1, 13), range(1, 4), { ranges: KNOWN }))).toEqual(['growth hold']);
  });
  test('is not vouched for by ranges that are unknown or empty', () => {
    const unavailable = { kind: 'unavailable' as const, detail: 'no network' };
    expect(judge(facts(range(1, 12), range(1, 4), { ranges: unavailable }))).toEqual(['growth hold']);
    const empty = { ...KNOWN, cidrs: [] };
    expect(judge(facts(range(1, 12), range(1, 4), { ranges: empty }))).toEqual(['growth hold']);
  });
});

describe('shrink', () => {
  test('is measured against the largest list of late', () => {
    expect(judge(facts(range(1, 6), range(1, 8), { largest: range(1, 9) }))).toEqual(['shrink hold']);
  });
  test('works on short lists: one of three is a third', () => {
    expect(judge(facts(range(1, 2), range(1, 3)))).toEqual(['shrink hold']);
    expect(judge(facts(range(1, 3), range(1, 4)))).toEqual([]);
  });
});

describe('provenance', () => {
  test('speaks of new addresses only', () => {
    const old = [...range(1, 4), toCidr('34.99.0.1/32')];
    expect(judge(facts(old, old, { ranges: KNOWN }))).toEqual([]);
  });
  test('one stranger among eighteen good ones is held', () => {
    const list = [...range(1, 18), toCidr('34.99.0.1/32')];
    expect(judge(facts(list, range(1, 18), { ranges: KNOWN }))).toEqual(['provenance hold']);
  });
  test('in mode warn or off holds nothing, and warn says what it saw', () => {
    const given = facts([...range(1, 4), toCidr('34.99.0.1/32')], range(1, 4), { ranges: KNOWN });
    expect(judge(given, provenance({ mode: 'warn' }))).toEqual([]);
    expect(judge(given, provenance({ mode: 'off' }))).toEqual([]);
    expect(notesOn(given, { ...LIMITS, ...provenance({ mode: 'warn' }) })).toEqual([
      "1 of 1 lie outside the publisher's ranges: 34.99.0.1/32 (owner unknown)",
    ]);
    expect(notesOn(given, LIMITS)).toEqual([]);
  });
  test('without ranges lets the other limits decide, or holds, as the config says', () => {
    const given = facts(range(1, 5), range(1, 4), { ranges: { kind: 'unavailable', detail: 'no network' } });
    expect(judge(given)).toEqual([]);
    expect(judge(given, provenance({ whenUnavailable: 'hold' }))).toEqual(['provenance hold']);
  });
  test('that lifts the growth limit says so', () => {
    const given = facts(range(1, 12), range(1, 4), { ranges: KNOWN });
    expect(notesOn(given, LIMITS)).toEqual([
      "8 new beside 4 exceed safety.maxGrowth; they passed since all lie inside the publisher's ranges",
    ]);
  });
  test('lets the page’s own history pass: 4, then 6, then 18', () => {
    const [four, six] = [range(1, 4), range(1, 6)];
    expect(judge(facts(six, four, { ranges: KNOWN }))).toEqual([]);
    const limits = provenance({ maxVouched: 24 });
    expect(judge(facts(range(1, 18), six, { ranges: KNOWN }), limits)).toEqual([]);
  });
});

test('a limit is exceeded when either number is, strictly; null lifts it', () => {
  const limit = { count: 5, percent: 30 };
  expect([
    exceeds(5, 100, limit),
    exceeds(6, 100, limit),
    exceeds(3, 10, limit),
    exceeds(4, 10, limit),
  ]).toEqual([false, true, false, true]);
  expect(exceeds(99, 100, { count: null, percent: null })).toBe(false);
  expect(exceeds(1, 0, { count: null, percent: 30 })).toBe(false);
  expect([
    limitText(limit),
    limitText({ count: null, percent: 5 }),
    limitText({ count: null, percent: null }),
  ]).toEqual(['5 or 30 %', '5 %', 'none']);
  expect(some(['a', 'b', 'c', 'd', 'e'])).toBe('a, b, c and 2 more');
});

test('a refusal stays one whatever the limits are, and no list with a special address is ever only held', () => {
  fc.assert(
    fc.property(fc.ipV4(), (text) => {
      const cidr = toCidr(text);
      const found = judgeList(facts([...range(1, 4), cidr], range(1, 4)), LIMITS);
      const special = found.some(({ guard }) => guard === 'special-addresses');
      if (/^(10|127|0|22[4-9]|2[3-5]\d)\./.test(text) || text.startsWith('192.168.'))
        expect(special).toBe(true);
      if (special) expect(found.some(({ effect }) => effect === 'refuse')).toBe(true);
    }),
  );
});
