import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDocument } from '../../src/sources/parse.ts';
import type { ParseResult } from '../../src/sources/result.ts';
import type { SourceFormat } from '../../src/sources/schema.ts';
import { LIST } from './hostile.ts';

const OWN = new URL('../fixtures/pages/', import.meta.url);
const REAL = new URL('../../../shared/pages/', import.meta.url);
const hasReal = existsSync(REAL);
if (!hasReal)
  console.warn('Skipped: the recorded pages are not on this machine, only their stand-ins are read.');

const read = (folder: URL, name: string) => readFileSync(new URL(name, folder), 'utf8');
const addresses = (result: ParseResult) => (result.ok ? result.entries.map(({ text }) => text) : []);

const OWN_PAGES = [
  ['status.html', 'html'],
  ['status.mdx', 'markdown'],
  ['outbound.mdx', 'markdown'],
  ['bullets.md', 'markdown'],
] as const;

test.each(OWN_PAGES)(
  '%s, shaped like a page of the past or present, gives its list',
  async (name, format) => {
    expect(addresses(await parseDocument(read(OWN, name), { format }))).toEqual(LIST);
  },
);

test.each(OWN_PAGES)('%s, cut anywhere, gives its whole list or none', async (name, format) => {
  await cutEverywhere(read(OWN, name), format, LIST);
});

test('a mirror that was cut, and a text without the section, are malformed and say what was found', async () => {
  const cut = await parseDocument(read(OWN, 'cut-mirror.md'), { format: 'markdown' });
  expect(cut).toMatchObject({ ok: false, status: 'malformed' });
  if (!cut.ok) expect(cut.looked).toContain('«IP addresses»');
  if (!cut.ok) expect(cut.found).toContain('«Python environments»');
  for (const format of ['markdown', 'html', 'text', 'json'] as const)
    expect(await parseDocument(read(OWN, 'lost-section.txt'), { format })).toMatchObject({
      status: 'malformed',
    });
});

test('a heading of one’s own choice is looked for instead of the page’s', async () => {
  const document = read(OWN, 'status.html');
  const result = await parseDocument(document, { format: 'html', heading: 'Python environments' });
  expect(result).toMatchObject({ ok: false, status: 'malformed' });
  const renamed = document.replaceAll('IP addresses<div', 'Egress<div');
  expect(addresses(await parseDocument(renamed, { format: 'html', heading: 'egress' }))).toEqual(LIST);
});

test('a position tells people where the list is', async () => {
  const result = await parseDocument(read(OWN, 'status.mdx'), { format: 'markdown' });
  expect(result).toMatchObject({ position: '6 <div> in <Flex> under «IP addresses», lines 30 to 35' });
});

describe.skipIf(!hasReal)('the recorded pages', () => {
  test('the rendered page and its source give exactly the same 18 addresses', async () => {
    const page = await parseDocument(read(REAL, 'head.html'), { format: 'html' });
    const source = await parseDocument(read(REAL, 'seed-001-source.mdx'), { format: 'markdown' });
    expect(addresses(page)).toHaveLength(18);
    expect(new Set(addresses(page)).size).toBe(18);
    expect(addresses(page)).toEqual(addresses(source));
    expect(addresses(page)[0]).toBe('35.230.127.150');
    expect(addresses(page)[17]).toBe('34.82.135.155');
  });

  test.each(['seed-000-truncated-mirror.md', 'seed-002-plain-text.txt'])(
    '%s is malformed in every format',
    async (name) => {
      for (const format of ['markdown', 'html', 'text', 'json'] as const)
        expect(await parseDocument(read(REAL, name), { format })).toMatchObject({ status: 'malformed' });
    },
  );

  test.each([
    ['head.html', 'html'],
    ['seed-001-source.mdx', 'markdown'],
  ] as const)('%s, cut at every 1 %%, gives its whole list or none', async (name, format) => {
    const document = read(REAL, name);
    const whole = addresses(await parseDocument(document, { format }));
    await cutEverywhere(document, format, whole, 100);
  });
});

/** Cuts at every `1 / parts`, and by default at every character from the heading of the list to the one after it. */
async function cutEverywhere(document: string, format: SourceFormat, whole: readonly string[], parts = 200) {
  const heading = document.lastIndexOf('IP addresses', document.indexOf(LIST[0] ?? ''));
  const last = document.indexOf(whole.at(-1) ?? '', heading);
  const near =
    parts === 200 ? Array.from({ length: last - heading + 60 }, (_, index) => heading + index) : [];
  const even = Array.from({ length: parts }, (_, index) => Math.floor((document.length * index) / parts));
  let refused = 0;
  for (const end of new Set([...even, ...near])) {
    const result = await parseDocument(document.slice(0, end), { format });
    if (result.ok) expect(addresses(result), `cut at ${end}`).toEqual(whole);
    else refused += 1;
  }
  expect(refused).toBeGreaterThan(parts / 2);
}

const address = fc.ipV4().filter((text) => !text.includes('/'));
const lists = fc.array(fc.oneof(address, fc.ipV6()), { minLength: 1, maxLength: 30 });

test('a list of any addresses is read alike from a page, its source, a text and JSON', async () => {
  await fc.assert(
    fc.asyncProperty(lists, async (list) => {
      const items = list.map((one) => `<div>${one}</div>`).join('');
      const section = `<h2>IP addresses</h2><section>${items}</section><h2>Other</h2>`;
      const flex = `## IP addresses\n\n<Flex>\n${items}\n</Flex>\n\n## Other\n\nText.\n`;
      const readings = [
        await parseDocument(`<html><body>${section}</body></html>`, { format: 'html' }),
        await parseDocument(flex, { format: 'markdown' }),
        await parseDocument(list.join('\n'), { format: 'text' }),
        await parseDocument(JSON.stringify({ 'a/b': [list] }), { format: 'json', pointer: '/a~1b/0' }),
      ];
      // IPv6 forms that our grammar refuses are refused by all; what is read is the list and nothing less.
      const [first] = readings;
      for (const reading of readings) {
        expect(reading.ok).toBe(first?.ok);
        if (reading.ok) expect(addresses(reading)).toEqual(list);
      }
    }),
    { numRuns: 100 },
  );
});

const BITS = [
  ...[
    '<h2>IP addresses</h2>',
    '<h2>Other</h2>',
    '<h3>Old</h3>',
    '</html>',
    '<html>',
    '<div>',
    '</div>',
    '<ul>',
  ],
  ...[
    '</ul>',
    '<li>',
    '</li>',
    '<p>',
    '</p>',
    '<code>',
    '</code>',
    '<!--',
    '-->',
    '<table>',
    '</table>',
    '<b>',
  ],
  ...[
    '</b>',
    '<script>',
    '</script>',
    '<div hidden>',
    '\n\n## IP addresses\n\n',
    '\n\n## Other\n\n',
    '\n- ',
    '\n',
  ],
  ...[
    '<Flex>',
    '</Flex>',
    '<Note>',
    '</Note>',
    '`',
    '```\n',
    '{',
    '}',
    '&#46;',
    '\u200b',
    '１',
    ' ',
    ',',
    '"',
    '[',
    ']',
  ],
];
const soup = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...BITS) },
      { weight: 2, arbitrary: address },
      fc.string(),
    ),
    {
      maxLength: 40,
    },
  )
  .map((parts) => parts.join(''));

test.each(['html', 'markdown', 'text', 'json'] as const)(
  'no soup of tags and addresses makes the %s parser fail, or invent an address',
  async (format) => {
    await fc.assert(
      fc.asyncProperty(soup, async (document) => {
        const dressed = format === 'html' ? `<html>${document}</html>` : document;
        const result = await parseDocument(dressed, { format });
        for (const one of addresses(result)) expect(dressed).toContain(one);
        if (result.ok) expect(result.entries.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  },
);
