/** Documents as sources publish them, whole and damaged, and what their parsers may make of them. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { parseDocument } from '../../src/sources/parse.ts';
import type { SourceFormat } from '../../src/sources/schema.ts';
import { HOSTILE } from '../sources/hostile.ts';
import type { Fuzzed } from './runner.ts';
import { address, addressLike, damaged, standsIn } from './texts.ts';

const page = (name: string) => readFileSync(new URL(`../fixtures/pages/${name}`, import.meta.url), 'utf8');
const known = (format: SourceFormat, ...pages: string[]) => [
  ...HOSTILE.filter((one) => one.format === format && one.document.length < 6_000).map(
    ({ document }) => document,
  ),
  ...pages.map(page),
];

const HTML_PIECES = [
  ...[
    '<li>',
    '</li>',
    '<ul>',
    '</ul>',
    '<div>',
    '</div>',
    '<p>',
    '</p>',
    '<h2>IP addresses</h2>',
    '<h2>',
    '</h2>',
  ],
  ...[
    '<!--',
    '-->',
    '<code>',
    '</code>',
    '<script>',
    '</script>',
    '<svg>',
    '<template>',
    '<table><tr><td>',
    '<b>',
  ],
  ...['&#51;', '&period;', '&', '<', '>', '</html>', '</body>', '<plaintext>', ' hidden', '<![CDATA[', ']]>'],
];
const MARKDOWN_PIECES = [
  ...[
    '\n\n',
    '\n- ',
    '\n## IP addresses\n\n',
    '\n## ',
    '`',
    '```',
    '\n```\n',
    '<Flex>',
    '</Flex>',
    '<div>',
    '</div>',
  ],
  ...[
    '{',
    '}',
    '{/*',
    '*/}',
    '>',
    '\n> ',
    '**',
    '_',
    '<Note>',
    '</Note>',
    '[a](',
    ')',
    '|',
    '\n---\n',
    '\\',
    '&#51;',
  ],
];

/** What every answer of a parser must be: a refusal, or addresses that each stand in the document by themselves. */
function honest(format: SourceFormat, pointer?: string) {
  return async (document: string): Promise<void> => {
    const result = await parseDocument(document, { format, pointer });
    if (!result.ok) {
      if (result.found.length > 600) throw new Error(`a refusal of ${result.found.length} characters`);
      return;
    }
    if (result.entries.length === 0) throw new Error('a list without entries');
    for (const { text } of result.entries)
      if (!standsIn(document, text)) throw new Error(`«${text}» does not stand in the document`);
  };
}

/** A whole page around a list, with what is no part of it: either exactly the list is found, or nothing. */
interface Whole {
  readonly list: readonly string[];
  readonly document: string;
}

function exact(format: SourceFormat) {
  return async ({ list, document }: Whole): Promise<void> => {
    const result = await parseDocument(document, { format });
    const found = result.ok ? result.entries.map(({ text }) => text) : null;
    if (found && found.join() !== list.join()) throw new Error(`${found.join()} instead of ${list.join()}`);
    if (!found && /[^ ]/.test(document) && !('found' in result))
      throw new Error('neither a list nor a refusal');
  };
}

const DECOY = '66.66.66.66';
const list = fc.array(
  address.filter((one) => one !== DECOY),
  { minLength: 1, maxLength: 20 },
);

const HTML_ITEMS: readonly ((list: readonly string[]) => string)[] = [
  (all) => `<ul>${all.map((one) => `<li>${one}</li>`).join('')}</ul>`,
  (all) => `<ul>${all.map((one) => `<li><strong>${one}</strong></li>`).join('\n')}</ul>`,
  (all) =>
    `<section class="flex_x">${all.map((one) => `<div style="width:150px">${one}</div>`).join('')}</section>`,
  (all) => all.map((one) => `<div>${one}</div>`).join(''),
  (all) => `<table>${all.map((one) => `<tr><td>${one}</td></tr>`).join('')}</table>`,
  (all) => `<p>${all.join(', ')}</p>`,
  (all) => `<pre>${all.join('\n')}</pre>`,
];
const HTML_BESIDE: readonly string[] = [
  '<p>Text about nothing.</p>',
  `<div class="note_x"><p>The balancer is <code>${DECOY}</code>.</p></div>`,
  `<!-- <ul><li>${DECOY}</li></ul> -->`,
  `<p>The balancer is ${DECOY}, not one of these.</p>`,
  `<pre>${DECOY}</pre>`,
  `<script>"<li>${DECOY}</li>"</script>`,
  `<div hidden>${DECOY}</div>`,
  '<h3>More</h3>',
  '<svg><path d="M1.2.3.4 5"></path></svg>',
];
const htmlPage = fc
  .tuple(
    list,
    fc.constantFrom(...HTML_ITEMS),
    fc.subarray([...HTML_BESIDE], { maxLength: 3 }),
    fc.subarray([...HTML_BESIDE], { maxLength: 3 }),
    fc.constantFrom('IP addresses', "Allowlisting Streamlit's outbound IP addresses", 'Addresses'),
  )
  .map(([all, items, before, after, heading]): Whole => {
    const section = `<h2>${heading}</h2>${before.join('')}${items(all)}${after.join('')}`;
    const body = `<h1>Status</h1><h2>Python</h2><p>protobuf&gt;=3.20</p>${section}<h2>Other</h2><ul><li>x</li></ul>`;
    return {
      list: all,
      document: `<!DOCTYPE html><html><head><title>S</title></head><body>${body}</body></html>`,
    };
  });

const MARKDOWN_ITEMS: readonly ((list: readonly string[]) => string)[] = [
  (all) => all.map((one) => `- ${one}`).join('\n'),
  (all) => all.map((one) => `* **${one}**`).join('\n'),
  (all) =>
    `<Flex wrap >\n${all.map((one) => `    <div style={{ width: "150px" }}>${one}</div>`).join('\n')}\n</Flex>`,
  (all) => `<ul>\n${all.map((one) => `  <li><strong>${one}</strong></li>`).join('\n')}\n</ul>`,
  (all) => `\`\`\`\n${all.join('\n')}\n\`\`\``,
  (all) => `| a |\n| - |\n${all.map((one) => `| ${one} |`).join('\n')}`,
];
const MARKDOWN_BESIDE: readonly string[] = [
  'Text about nothing.',
  `<Note>\n\nThe balancer is \`${DECOY}\`.\n\n</Note>`,
  `{/* - ${DECOY} */}`,
  `The balancer is ${DECOY}, not one of these.`,
  `> ${DECOY}`,
  '### More',
];
const markdownPage = fc
  .tuple(
    list,
    fc.constantFrom(...MARKDOWN_ITEMS),
    fc.subarray([...MARKDOWN_BESIDE], { maxLength: 2 }),
    fc.subarray([...MARKDOWN_BESIDE], { maxLength: 2 }),
  )
  .map(([all, items, before, after]): Whole => {
    const section = [...before, items(all), ...after].join('\n\n');
    return { list: all, document: `# Status\n\n## IP addresses\n\n${section}\n\n## Other\n\nText.\n` };
  });

const textDocument = fc
  .array(fc.oneof({ weight: 4, arbitrary: address }, addressLike, fc.constantFrom('', '# a comment', '  ')), {
    maxLength: 12,
  })
  .map((lines) => lines.join('\n'));

const jsonDocument = fc
  .oneof(
    fc.record({
      addresses: fc.array(fc.oneof({ weight: 8, arbitrary: address }, addressLike), { maxLength: 8 }),
    }),
    fc.record({ addresses: fc.jsonValue() }),
    fc.jsonValue(),
  )
  .map((value) => JSON.stringify(value));

const bytes = fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array).toString('utf8'));

/** JSON writes characters as escapes, so what stands in the document is looked for in its values. */
async function honestJson(document: string): Promise<void> {
  const result = await parseDocument(document, { format: 'json', pointer: '/addresses' });
  if (!result.ok) return;
  const texts = new Set(stringsIn(JSON.parse(document)));
  for (const { text } of result.entries)
    if (!texts.has(text)) throw new Error(`«${text}» is no value of the document`);
}

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

export const HTML: readonly Fuzzed<string>[] = [
  {
    name: 'html, damaged',
    inputs: 50_000,
    arbitrary: fc.oneof(
      { weight: 6, arbitrary: damaged(fc.constantFrom(...known('html', 'status.html')), HTML_PIECES) },
      {
        weight: 3,
        arbitrary: damaged(
          htmlPage.map(({ document }) => document),
          HTML_PIECES,
        ),
      },
      { weight: 1, arbitrary: bytes },
    ),
    check: honest('html'),
  },
];
export const HTML_WHOLE: Fuzzed<Whole> = {
  name: 'html, whole',
  inputs: 20_000,
  arbitrary: htmlPage,
  check: exact('html'),
};
export const MARKDOWN: readonly Fuzzed<string>[] = [
  {
    name: 'markdown, damaged',
    inputs: 40_000,
    arbitrary: fc.oneof(
      {
        weight: 6,
        arbitrary: damaged(
          fc.constantFrom(...known('markdown', 'status.mdx', 'outbound.mdx', 'bullets.md', 'cut-mirror.md')),
          MARKDOWN_PIECES,
        ),
      },
      {
        weight: 3,
        arbitrary: damaged(
          markdownPage.map(({ document }) => document),
          MARKDOWN_PIECES,
        ),
      },
      { weight: 1, arbitrary: bytes },
    ),
    check: honest('markdown'),
  },
];
export const MARKDOWN_WHOLE: Fuzzed<Whole> = {
  name: 'markdown, whole',
  inputs: 15_000,
  arbitrary: markdownPage,
  check: exact('markdown'),
};
export const PLAIN: readonly Fuzzed<string>[] = [
  {
    name: 'text',
    inputs: 150_000,
    arbitrary: fc.oneof(
      damaged(textDocument, ['# ', '\n']),
      damaged(fc.constantFrom(...known('text'))),
      bytes,
    ),
    check: honest('text'),
  },
  {
    name: 'json',
    inputs: 150_000,
    arbitrary: fc.oneof(
      jsonDocument,
      damaged(jsonDocument, ['[', ']', '{"', '":', '\\u0030', 'null', '1e999']),
      damaged(fc.constantFrom(...known('json'))),
      bytes,
    ),
    check: honestJson,
  },
];
