/** Texts that are nearly right: what parsers see on their bad days. */
import fc from 'fast-check';
import { parseCidr } from '../../src/cidr.ts';

/** One cut, paste, doubling or swap at a place in a text, told as parts of its length. */
interface Edit {
  readonly kind: 'delete' | 'insert' | 'double' | 'truncate' | 'replace';
  readonly at: number;
  readonly length: number;
  readonly piece: string;
}

/** Digits and marks of other scripts, what cannot be seen, what ends things early. */
export const NASTY: readonly string[] = [
  ...['０', '１', '٣', '¹', '\u200b', '\u200d', '\ufeff', '\u202e', '\u00a0', '\u0000', '\ud800', 'é', '。'],
  ...[
    '\n',
    '\r\n',
    '\t',
    ' ',
    '.',
    '..',
    ':',
    '::',
    '/',
    '//',
    '%',
    '%25',
    '-',
    '+',
    ',',
    ';',
    '#',
    '"',
    "'",
  ],
  ...['0', '00', '1', '9', '0x', 'e9', 'x', '/0', '/33', '/129', '/8', ':80', '%eth0', '[', ']', '{', '}'],
];

function edits(pieces: readonly string[], most: number): fc.Arbitrary<Edit[]> {
  return fc.array(
    fc.record({
      kind: fc.constantFrom('delete', 'insert', 'insert', 'double', 'truncate', 'replace'),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      length: fc.integer({ min: 1, max: 12 }),
      piece: fc.oneof(
        fc.constantFrom(...pieces, ...NASTY),
        fc.string({ maxLength: 3 }),
        fc.string({ maxLength: 3, unit: 'binary' }),
      ),
    }),
    { maxLength: most },
  );
}

function edited(text: string, { kind, at, length, piece }: Edit): string {
  const from = Math.floor(at * text.length);
  const [head, part, tail] = [
    text.slice(0, from),
    text.slice(from, from + length),
    text.slice(from + length),
  ];
  switch (kind) {
    case 'delete':
      return head + tail;
    case 'insert':
      return head + piece + part + tail;
    case 'double':
      return head + part + part + tail;
    case 'truncate':
      return head;
    case 'replace':
      return head + piece + tail;
  }
}

/** A text of `base` with up to `most` edits, some of which put one of `pieces` in. */
export function damaged(
  base: fc.Arbitrary<string>,
  pieces: readonly string[] = [],
  most = 4,
): fc.Arbitrary<string> {
  return fc.tuple(base, edits(pieces, most)).map(([text, list]) => list.reduce(edited, text));
}

/** Public and other addresses of both families, whole. */
export const address: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.ipV4() },
  { weight: 1, arbitrary: fc.ipV6() },
);

/** An address or CIDR, well written or not. */
export const addressLike: fc.Arbitrary<string> = fc.oneof(
  { weight: 2, arbitrary: address },
  {
    weight: 4,
    arbitrary: damaged(
      fc.tuple(address, fc.integer({ min: 0, max: 140 })).map(([text, bits]) => `${text}/${bits}`),
    ),
  },
  { weight: 3, arbitrary: damaged(address) },
  { weight: 1, arbitrary: fc.string({ maxLength: 60, unit: 'binary' }) },
);

/**
 * Whether `text` stands in `document` by itself: not as a part of a longer number or address, which a parser that
 * glues or cuts would find.
 */
export function standsIn(document: string, text: string): boolean {
  for (let at = document.indexOf(text); at !== -1; at = document.indexOf(text, at + 1)) {
    const around = [document[at - 1] ?? ' ', document[at + text.length] ?? ' '];
    if (around.every((character) => !/[0-9A-Za-z.:/]/.test(character))) return true;
  }
  return false;
}

/** Every address that stands in a text, whatever is around it. */
export function addressesIn(text: string): string[] {
  return (text.match(/[0-9A-Fa-f.:/]+/g) ?? []).flatMap((one) => {
    const parsed = parseCidr(one);
    return parsed.ok ? [parsed.cidr] : [];
  });
}

export function demand(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}
