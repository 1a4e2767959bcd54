/**
 * A document as the list reader sees it, whatever it was written in: elements and text, nothing else. Comments,
 * declarations and attributes are gone by then.
 */
interface TextNode {
  readonly type: 'text';
  /** As a reader sees it: character references decoded. */
  readonly value: string;
  /** As it is written in the document, references and all. */
  readonly source: string;
  readonly line: number;
}

export interface ElementNode {
  readonly type: 'element';
  /** Lower case for HTML, as written for a component (`Flex`). */
  readonly name: string;
  readonly nature: Nature;
  /** 1 to 6 for a heading. */
  readonly level: number | null;
  readonly children: readonly TreeNode[];
  readonly line: number;
  /** False when the document may have been cut inside it: its end is implied, not written. */
  readonly whole: boolean;
}

export type TreeNode = TextNode | ElementNode;

/**
 * What an element means for the addresses in it.
 * - `plain`: may be the list, an item of it, or hold it.
 * - `prose`: sentences; an address in a sentence is mentioned, not listed.
 * - `decoy`: shown, but never the list (code, a note): not read.
 * - `hidden`: not shown to a reader at all: not read, and its headings do not count.
 * - `doubtful`: could be another form of the list (a table): an address in it makes the document malformed.
 */
export type Nature = 'plain' | 'prose' | 'decoy' | 'hidden' | 'doubtful';

/** Deepest nesting that is read, as browsers have it; what nests deeper is no page for people. */
export const MAX_DEPTH = 512;

const PROSE = ['p', 'figcaption'];
const DECOY = ['code', 'pre', 'kbd', 'samp', 'var', 'tt', 'blockquote', 'aside', 'nav', 'footer', 'button'];
const DOUBTFUL = ['table', 'details', 'form', 'del', 's', 'strike', 'ins', 'sub', 'sup', 'dl', 'marquee'];
const HIDDEN = [
  ...['script', 'style', 'template', 'noscript', 'head', 'title', 'svg', 'math', 'iframe', 'object', 'embed'],
  ...['video', 'audio', 'canvas', 'picture', 'textarea', 'select', 'option', 'datalist', 'input', 'dialog'],
  ...['noframes', 'noembed', 'xmp', 'plaintext', 'map', 'rp', 'rt'],
];

const NATURES: ReadonlyMap<string, Nature> = new Map(
  (
    [
      [PROSE, 'prose'],
      [DECOY, 'decoy'],
      [DOUBTFUL, 'doubtful'],
      [HIDDEN, 'hidden'],
    ] as const
  ).flatMap(([names, nature]) => names.map((name) => [name, nature] as const)),
);

/** A box beside the text: by its class on the rendered page (`callout_Container__TMaoi`), by its name in MDX. */
const CALLOUT =
  /^(?:callout|admonition|note|warning|alert|tip|important|caution|danger|info|hint|banner|code|example)(?![a-z])|(?:callout|admonition)/i;
const HIDING_CLASS = /^(?:hidden|invisible|d-none|sr-only|visually-?hidden|is-hidden)$/i;
const HIDING_STYLE =
  /display["']?\s*:\s*["']?none|visibility["']?\s*:\s*["']?(?:hidden|collapse)|opacity["']?\s*:\s*["']?0(?![.\d])|font-?size["']?\s*:\s*["']?0(?![.\d])/i;

/** The nature of an element by its name and attributes, HTML or JSX. Attribute values are strings, `''` for none. */
export function natureOf(name: string, attributes: ReadonlyMap<string, string>): Nature {
  const style = attributes.get('style') ?? '';
  const classes = (attributes.get('class') ?? attributes.get('className') ?? '').split(/\s+/);
  if (
    attributes.has('hidden') ||
    /true/i.test(attributes.get('aria-hidden') ?? '') ||
    HIDING_STYLE.test(style) ||
    classes.some((one) => HIDING_CLASS.test(one))
  )
    return 'hidden';
  const byName = NATURES.get(name.toLowerCase());
  if (byName && byName !== 'prose') return byName;
  const role = attributes.get('role') ?? '';
  const isComponent = /^[A-Z]/.test(name);
  if (/^(?:note|alert|status|doc-tip|doc-notice)$/i.test(role)) return 'decoy';
  if ((isComponent && CALLOUT.test(name)) || classes.some((one) => CALLOUT.test(one))) return 'decoy';
  if (/^(?:table|grid|treegrid)$/i.test(role)) return 'doubtful';
  return byName ?? 'plain';
}

/** The level of a heading, by its name or by its ARIA role; null for anything else. */
export function headingLevel(name: string, attributes: ReadonlyMap<string, string>): number | null {
  const byName = /^h([1-6])$/.exec(name)?.[1];
  if (byName) return Number(byName);
  if (attributes.get('role') !== 'heading') return null;
  const level = Number(attributes.get('aria-level') ?? '2');
  return level >= 1 && level <= 6 ? level : 2;
}

/** All text in a node, one space where elements meet, so that neighbours never run together. */
export function textOf(node: TreeNode): string {
  if (node.type === 'text') return node.value;
  return node.children
    .filter((child) => child.type === 'text' || child.nature !== 'hidden')
    .map(textOf)
    .join(' ');
}

/** Blank as HTML has it: a no-break or zero-width space is not blank. */
export function isBlank(text: string): boolean {
  return /^[ \t\r\n\f]*$/.test(text);
}
