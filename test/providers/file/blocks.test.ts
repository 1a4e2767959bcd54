import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nginx, text } from '../../../providers/file/blocks.ts';
import type { Format } from '../../../providers/file/format.ts';
import { formatMarker, type Identity, isOurs } from '../../../providers/provider.ts';
import { sortCidrs, toCidr } from '../../../src/cidr.ts';

const US: Identity = { owner: 'acme', target: 'edge', previousNames: ['rim'] };
const PATH = '/etc/allowlist.txt';
const A = toCidr('34.19.100.134');
const B = toCidr('2600:1900:4020::1');

function block(body: string, { owner = 'acme', target = 'edge' } = {}): string {
  const marker = formatMarker({ owner, target });
  return `# BEGIN ${marker}\n${body}# END ${marker}\n`;
}

function parse(content: string, format: Format = text) {
  const { entries, strange } = format.parse(content, US, PATH);
  return { entries: entries.map(({ cidr, marker }) => [cidr, marker?.owner, marker?.target]), strange };
}

test('a block is written in order, between marker comments', () => {
  expect(text.render('', US, PATH, [B, A])).toBe(block(`${A}\n${B}\n`));
  expect(nginx.render('', US, PATH, [B, A])).toBe(block(`allow ${A};\nallow ${B};\n`));
});

test('lines inside our block are ours, lines of other blocks theirs, all others nobody’s', () => {
  const content = `34.0.0.1\n${block(`${A} # app\n\n`)}${block('34.0.0.2/24\n', { owner: 'else' })}34.0.0.3/32#x\n`;
  expect(parse(content)).toEqual({
    entries: [
      ['34.0.0.1/32', undefined, undefined],
      [A, 'acme', 'edge'],
      ['34.0.0.0/24', 'else', 'edge'],
      ['34.0.0.3/32', undefined, undefined],
    ],
    strange: [],
  });
});

test('what is no address is passed over outside, and named inside our block', () => {
  const content = `host 34.0.0.1\n${block(`${A}\n34.0.0.300\nhello\n`)}::1 localhost\n`;
  expect(parse(content)).toEqual({ entries: [[A, 'acme', 'edge']], strange: ['line 4', 'line 5'] });
  expect(text.render(content, US, PATH, [A])).toBe(`host 34.0.0.1\n${block(`${A}\n`)}::1 localhost\n`);
});

test('nginx: "allow all" is the open world, other directives are nobody’s', () => {
  const content = `allow all;\n  allow 34.0.0.1;\n#allow 34.0.0.2;\ndeny 34.0.0.3;\n${block('allow unix:;\n')}`;
  expect(parse(content, nginx)).toEqual({
    entries: [
      ['0.0.0.0/0', undefined, undefined],
      ['::/0', undefined, undefined],
      ['34.0.0.1/32', undefined, undefined],
    ],
    strange: ['line 6'],
  });
});

test('nginx: a new block goes before the first deny, which would win over it', () => {
  const content = 'satisfy any;\ndeny all;\ndeny all;\n';
  const ours = block(`allow ${A};\n`);
  expect(nginx.render(content, US, PATH, [A])).toBe(`satisfy any;\n${ours}deny all;\ndeny all;\n`);
});

test('an empty pair of markers that somebody placed says where the block goes', () => {
  expect(text.render(`a\n${block('')}b\n`, US, PATH, [A])).toBe(`a\n${block(`${A}\n`)}b\n`);
});

test('blocks under previous names are merged into one under the name of today', () => {
  const content = `${block(`${A}\n`, { target: 'rim' })}x\n${block(`${B}\n`)}`;
  expect(parse(content).entries).toEqual([
    [A, 'acme', 'rim'],
    [B, 'acme', 'edge'],
  ]);
  expect(text.render(content, US, PATH, [A, B])).toBe(`${block(`${A}\n${B}\n`)}x\n`);
});

test('the line ends of the file are used, and a byte order mark is no part of a line', () => {
  const crlf = `x\r\n${block(`${A}\n`).replaceAll('\n', '\r\n')}`;
  expect(text.render('x\r\n', US, PATH, [A])).toBe(crlf);
  expect(parse(`\xef\xbb\xbf${crlf}`).entries).toEqual([[A, 'acme', 'edge']]);
  expect(parse(`\xef\xbb\xbf${block(`${A}\n`)}`).entries).toEqual([[A, 'acme', 'edge']]);
});

const BEGIN = '# BEGIN allowlist-sync/v1 owner=acme target=edge\n';
const END = '# END allowlist-sync/v1 owner=acme target=edge\n';
test.each([
  [
    'that is not closed',
    `x\n${BEGIN}34.0.0.1\n`,
    'line 2 of /etc/allowlist.txt begins a block that never ends',
  ],
  [
    'inside another',
    `${BEGIN}${BEGIN}${END}${END}`,
    'line 2 of /etc/allowlist.txt begins a block inside that of line 1',
  ],
  ['that was not begun', `x\n\n${END}`, 'line 3 of /etc/allowlist.txt ends a block that was not begun'],
  [
    'that ends another',
    `${BEGIN}${END.replace('edge', 'rim')}`,
    'line 2 of /etc/allowlist.txt ends a block that',
  ],
  [
    'that is there twice',
    `${BEGIN}${END}${BEGIN}${END}`,
    'line 3 of /etc/allowlist.txt begins the block of line 1 a second',
  ],
  ['without its target', BEGIN.replace(' target=edge', ''), 'line 1 of /etc/allowlist.txt is a broken'],
  ['with more words', BEGIN.replace('edge', 'edge by hand'), 'line 1 of /etc/allowlist.txt is a broken'],
  ['of another version', BEGIN.replace('v1', 'v2'), 'line 1 of /etc/allowlist.txt is a broken'],
])('a marker %s is refused with its line, and nothing is written', (_, content, message) => {
  for (const act of [() => text.parse(content, US, PATH), () => text.render(content, US, PATH, [A])])
    expect(act).toThrow(
      expect.objectContaining({ code: 'object-differs', message: expect.stringContaining(message) }),
    );
});

test('a marker is read by its tokens, never as a part of a word or of prose', () => {
  const longer = block('34.0.0.1\n', { owner: 'acme', target: 'edge-2' });
  const prose = '# see BEGIN allowlist-sync/v1 owner=acme target=edge\n#BEGINallowlist-sync/v1\n';
  expect(parse(longer + prose).entries).toEqual([['34.0.0.1/32', 'acme', 'edge-2']]);
  expect(text.render(longer + prose, US, PATH, [])).toBe(longer + prose);
});

const cidrs = fc
  .uniqueArray(
    fc.ipV4().filter((ip) => !ip.startsWith('0')),
    { maxLength: 6 },
  )
  .map((ips) => sortCidrs(ips.map((ip) => toCidr(ip))));
const others = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.ipV4(),
      fc.constantFrom('deny all;', '', '# x'),
    ),
  )
  .map((lines) => lines.map((line) => line.replace(/[\r\n]/g, '')))
  .chain((lines) =>
    fc
      .tuple(fc.constantFrom('\n', '\r\n'), fc.boolean())
      .map(([eol, end]) => lines.join(eol) + (end ? eol : '')),
  )
  .map((content) => Buffer.from(content, 'utf8').toString('latin1'));

test('what was rendered is read back, and rendering nothing gives the bytes of others back', () => {
  for (const format of [text, nginx]) {
    fc.assert(
      fc.property(others, cidrs, cidrs, (content, first, second) => {
        const written = format.render(content, US, PATH, first);
        const found = format.parse(written, US, PATH);
        expect(found.strange).toEqual([]);
        expect(found.entries.filter(({ marker }) => isOurs(marker, US)).map(({ cidr }) => cidr)).toEqual(
          first,
        );
        expect(found.entries.filter(({ marker }) => !marker)).toEqual(
          format.parse(content, US, PATH).entries,
        );
        expect(format.render(written, US, PATH, first)).toBe(written);
        const again = format.render(written, US, PATH, second);
        expect(format.render(again, US, PATH, [])).toBe(content);
      }),
    );
  }
});
