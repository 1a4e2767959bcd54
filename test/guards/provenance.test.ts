import { expect, test } from 'vitest';
import { toCidr } from '../../src/cidr.ts';
import { judgeList, type Limits, type Ranges } from '../../src/guards/list.ts';
import { parseRanges } from '../../src/guards/provenance.ts';

const DOCUMENT = JSON.stringify({
  syncToken: '1',
  prefixes: [
    { ipv4Prefix: '34.19.0.0/17', service: 'Google Cloud', scope: 'us-west1' },
    { ipv6Prefix: '2600:1900:4040::/44', service: 'Google Cloud', scope: 'us-west1' },
    { ipv4Prefix: '34.73.0.0/16', service: 'Google Cloud', scope: 'us-east1' },
    { ipv4Prefix: 'what', service: 'Google Cloud', scope: 'mars' },
  ],
});

const LIMITS: Limits = {
  minEntries: 1,
  maxEntries: 200,
  minPrefixLength: { ipv4: 24, ipv6: 48 },
  maxGrowth: { count: 10, percent: 50 },
  maxShrink: { count: 5, percent: 30 },
  provenance: {
    mode: 'require',
    url: 'https://ranges.example/cloud.json',
    scopes: ['us-west1'],
    sources: ['streamlit-docs'],
    maxAge: 0,
    whenUnavailable: 'warn',
    maxVouched: 24,
  },
};

test('the ranges of the scopes that count are read whole, those of the others only for their names', () => {
  expect(parseRanges(DOCUMENT, ['us-west1'])).toEqual({
    ok: true,
    cidrs: ['34.19.0.0/17', '2600:1900:4040::/44'],
    others: [{ range: '34.73.0.0/16', owner: 'Google Cloud us-east1' }],
  });
});

test.each([
  ['no JSON', '<html>', ['us-west1']],
  ['another document', '{"prefixes":[]}', ['us-west1']],
  ['a scope without prefixes', DOCUMENT, ['us-west1', 'us-west9']],
  ['a prefix that is none', DOCUMENT, ['mars']],
])(
  '%s is refused whole, since half of the ranges would call good addresses foreign',
  (_, document, scopes) => {
    expect(parseRanges(document, scopes)).toMatchObject({ ok: false });
  },
);

test('an address outside is held with the name of the owner of its range, where that is known', () => {
  const parsed = parseRanges(DOCUMENT, ['us-west1']);
  if (!parsed.ok) throw new Error(parsed.detail);
  const ranges: Ranges = { kind: 'known', cidrs: parsed.cidrs, others: parsed.others, from: 'here' };
  const candidate = ['9.9.9.9/32', '34.19.100.134/32', '34.73.1.1/32'].map(toCidr);
  const [finding] = judgeList({ candidate, baseline: [], largest: [], ranges }, LIMITS);
  expect(finding).toMatchObject({
    guard: 'provenance',
    effect: 'hold',
    cidrs: ['9.9.9.9/32', '34.73.1.1/32'],
  });
  expect(finding?.detail).toContain('2 of 3 new addresses lie outside');
  expect(finding?.detail).toContain('9.9.9.9/32 (owner unknown), 34.73.1.1/32 (Google Cloud us-east1)');
});
