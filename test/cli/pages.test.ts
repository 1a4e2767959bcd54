import { copyFileSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { sortCidrs, toCidr } from '../../src/cidr.ts';
import { LIST as FIXTURES } from '../sources/hostile.ts';
import { FILE_TARGET, workplace } from '../support/cli.ts';
import { PUBLISHED } from '../support/published.ts';
import { documentOf, expectNoStack, reportOf } from './documents.ts';

const SHARED = fileURLToPath(new URL('../../../shared/pages/', import.meta.url));
const OWN = fileURLToPath(new URL('../fixtures/pages/', import.meta.url));
const isShared = existsSync(SHARED);
if (!isShared)
  console.warn('Skipped: the recorded pages are not on this machine, only their stand-ins are read.');

function placeWith(path: string, format: string) {
  const place = workplace({ targets: [FILE_TARGET], sources: [{ type: 'file', path: 'page', format }] });
  copyFileSync(path, place.path('page'));
  return place;
}

/** What `sources` says is published. */
async function expectList(path: string, format: string, cidrs: readonly string[]): Promise<void> {
  const ran = await placeWith(path, format).json('sources');
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  expect(documentOf(ran, 'sources')).toMatchObject({
    cidrs,
    sources: [{ status: 'ok', count: cidrs.length, error: null }],
  });
}

/** `sources` refuses it, and `sync` leaves every target as it is. */
async function expectMalformed(path: string, format: string): Promise<void> {
  const place = placeWith(path, format);
  const [ran, synced] = await Promise.all([place.json('sources'), place.json('sync')]);
  expect(ran).toMatchObject({ code: 1, stderr: '' });
  expectNoStack(ran);
  expect(documentOf(ran, 'sources')).toMatchObject({
    cidrs: [],
    sources: [
      {
        status: 'malformed',
        count: 0,
        error: { code: 'source-malformed', message: expect.stringMatching(/looked for .*, found /) },
      },
    ],
  });
  expect(reportOf(synced)).toMatchObject({
    exitCode: 1,
    error: { code: 'source-malformed' },
    egress: { cidrs: null },
    targets: [{ status: 'skipped' }],
  });
  expect(existsSync(place.path('allowed.txt'))).toBe(false);
}

describe.skipIf(!isShared)('the recorded pages', () => {
  test.each([
    ['head.html', 'html'],
    ['seed-001-source.mdx', 'markdown'],
  ])('%s gives exactly the 18 addresses', (name, format) => expectList(SHARED + name, format, PUBLISHED));

  test.each([
    ['seed-000-truncated-mirror.md', 'markdown'],
    ['seed-002-plain-text.txt', 'text'],
    ['seed-002-plain-text.txt', 'html'],
    ['seed-002-plain-text.txt', 'markdown'],
  ])('%s, read as %s, is malformed and changes nothing', (name, format) =>
    expectMalformed(SHARED + name, format),
  );
});

test.each([
  ['status.html', 'html'],
  ['status.mdx', 'markdown'],
])('%s, a stand-in for the page, gives its addresses', (name, format) =>
  expectList(OWN + name, format, sortCidrs(FIXTURES.map(toCidr))),
);

test.each([
  ['cut-mirror.md', 'markdown'],
  ['lost-section.txt', 'text'],
])('%s, a stand-in for a page that lost its list, is malformed and changes nothing', (name, format) =>
  expectMalformed(OWN + name, format),
);
