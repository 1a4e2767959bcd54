import { expect, test } from 'vitest';
import { toCidr } from '../../src/cidr.ts';
import { hintFor } from '../../src/errors.ts';
import { agree } from '../../src/sources/agree.ts';
import type { SourceReading } from '../../src/sources/read.ts';

const evidence: SourceReading['evidence'] = {
  httpStatus: 200,
  contentType: 'text/html',
  bytes: 10,
  sha256: 'x',
  etag: '"1"',
  lastModified: null,
  date: null,
  notModified: false,
  position: null,
  duplicates: [],
  hostBits: [],
};

const ok = (type: SourceReading['type'], ...cidrs: string[]): SourceReading => ({
  type,
  status: 'ok',
  url: `https://example.org/${type}`,
  cidrs: cidrs.map(toCidr),
  evidence,
  error: null,
});

const failing = (
  type: SourceReading['type'],
  status: 'malformed' | 'unreachable' | 'empty',
): SourceReading => {
  const code = `source-${status}` as const;
  return { ...ok(type), status, error: { code, message: `${type} is ${status}`, hint: hintFor(code) } };
};

test('sources that have the same list agree, in whatever order they list it', () => {
  const readings = [
    ok('streamlit-docs', '34.2.0.0/16', '34.1.0.0/16'),
    ok('file', '34.1.0.0/16', '34.2.0.0/16'),
  ];
  const agreement = agree(readings, { minSources: 1 });
  expect(agreement).toEqual({ kind: 'agreed', cidrs: ['34.1.0.0/16', '34.2.0.0/16'], complete: true });
});

test.each(['malformed', 'unreachable', 'empty'] as const)(
  'a source that is %s leaves the agreement incomplete',
  (status) => {
    const agreement = agree([failing('streamlit-docs', status), ok('file', '34.1.2.3')], { minSources: 1 });
    expect(agreement).toEqual({ kind: 'agreed', cidrs: ['34.1.2.3/32'], complete: false });
  },
);

test('sources that differ in one address disagree, and each difference is told with its age', () => {
  const readings = [ok('streamlit-docs', '34.1.2.3', '34.1.2.4'), ok('streamlit-github', '34.1.2.3')];
  const agreement = agree(readings, { minSources: 1 });
  expect(agreement).toMatchObject({
    kind: 'disagreement',
    differences: [
      { source: 'streamlit-docs', only: ['34.1.2.4/32'], missing: [], etag: '"1"' },
      { source: 'streamlit-github', only: [], missing: ['34.1.2.4/32'] },
    ],
    error: { code: 'sources-disagree' },
  });
});

test('one of three that differs is a disagreement: there is no vote', () => {
  const readings = [
    ok('streamlit-docs', '34.1.2.3'),
    ok('streamlit-github', '34.1.2.3'),
    ok('file', '34.1.2.4'),
  ];
  expect(agree(readings, { minSources: 1 }).kind).toBe('disagreement');
});

test('when no source answers, the error is that of the first one and names every one', () => {
  const agreement = agree([failing('streamlit-docs', 'malformed'), failing('file', 'unreachable')], {
    minSources: 1,
  });
  expect(agreement).toMatchObject({ kind: 'none', error: { code: 'source-malformed' } });
  if (agreement.kind === 'none')
    expect(agreement.error.message).toMatch(/streamlit-docs is malformed.*file is unreachable/);
});

test('fewer answers than minSources are no answer, with the numbers', () => {
  const one = agree([failing('streamlit-docs', 'unreachable'), ok('file', '34.1.2.3')], { minSources: 2 });
  expect(one).toMatchObject({ kind: 'none', error: { code: 'source-unreachable' } });
  if (one.kind === 'none')
    expect(one.error.message).toContain('1 of 2 sources answered, 2 must (safety.minSources)');
  expect(agree([ok('file', '34.1.2.3')], { minSources: 2 })).toMatchObject({
    kind: 'none',
    error: { code: 'no-list' },
  });
});

test('no sources at all, even with minSources 0, are no agreement on an empty list', () => {
  expect(agree([], { minSources: 0 })).toMatchObject({ kind: 'none', error: { code: 'no-list' } });
});
