import {
  counted,
  empty,
  excerpt,
  type ListedAddress,
  listedAddress,
  malformed,
  type ParseResult,
} from './result.ts';
import { findSection, type Placed, type Section, significant } from './section.ts';
import { type ElementNode, isBlank, type TreeNode, textOf } from './tree.ts';

type PlacedElement = Placed & { readonly node: ElementNode };

interface Item {
  readonly placed: PlacedElement;
  readonly address: ListedAddress;
}

/** What is wrong with a section, as the end of the sentence "found …". */
type Fault = { readonly fault: string };

/**
 * Reads the addresses under a heading: the one list in its section, a run of sibling elements each of which is
 * exactly one address. Two lists, an item that is anything else, or an address that stands outside the list and
 * outside a sentence: malformed, since a guess could leave half of the addresses out.
 */
export function readList(root: ElementNode, headings: readonly string[]): ParseResult {
  const looked = lookedFor(headings);
  const found = findSection(root, headings);
  if (!found.ok) return malformed(looked, describeHeadings(found.headings, found.matches, root));
  const { section } = found;
  const items = findItems(section);
  const groups = groupByParent(items);
  const sentences = findSentences(section);
  const lists = [...groups].filter(([parent]) => !isWithin(parent, sentences));
  const listed = new Set(lists.flatMap(([, group]) => group.map(({ placed }) => placed.index)));
  const [list] = lists;
  if (lists.length > 1)
    return malformed(
      looked,
      `${lists.length} lists, at lines ${lists.map(([, group]) => lineOf(group)).join(', ')}`,
    );
  const stray = findStray(section, listed, sentences);
  if (stray)
    return malformed(looked, `${excerpt(stray.text)} on line ${stray.line}, which is no item of one list`);
  if (!list) return withoutList(section, looked);
  const [parent, group] = list;
  const problem = checkRun(parent, group, section);
  if (problem) return malformed(looked, problem.fault);
  return {
    ok: true,
    entries: group.map(({ address }) => address),
    position: positionOf(parent, group, section),
  };
}

/** What a reader of pages looks for, as messages say it. */
export function lookedFor(headings: readonly string[]): string {
  return `one list of addresses under the heading ${headings.map(excerpt).join(' or ')}`;
}

/** The outermost elements that are one address each. */
function findItems(section: Section): Item[] {
  const items: Item[] = [];
  let end = -1;
  for (const placed of section.nodes) {
    if (placed.index < end || !isElement(placed) || placed.veil !== 'plain' || placed.node.level !== null)
      continue;
    const address = addressIn(placed.node);
    if (!address) continue;
    items.push({ placed, address });
    end = placed.next;
  }
  return items;
}

/** The one address that an element is: nothing but it in a chain of only children, written as plainly as it reads. */
function addressIn(element: ElementNode): ListedAddress | undefined {
  // Two lists of one item each are two lists, not one list of two.
  if (/^(?:ul|ol|menu)$/.test(element.name)) return undefined;
  const [only, ...others] = significant(element);
  if (!only || others.length > 0) return undefined;
  if (only.type === 'element')
    return only.level === null && (only.nature === 'plain' || only.nature === 'prose')
      ? addressIn(only)
      : undefined;
  const text = only.value.replace(/^[ \t\r\n\f]+|[ \t\r\n\f]+$/g, '');
  const address = listedAddress(text);
  return 'reason' in address || !only.source.includes(text) ? undefined : address;
}

function groupByParent(items: readonly Item[]): Map<PlacedElement, Item[]> {
  const groups = new Map<PlacedElement, Item[]>();
  for (const item of items) {
    const { parent } = item.placed;
    if (!parent || !isElement(parent)) continue;
    const group = groups.get(parent);
    if (group) group.push(item);
    else groups.set(parent, [item]);
  }
  return groups;
}

/** A whole list, and nothing in its place that could be one more item or a damaged one. */
function checkRun(parent: PlacedElement, group: readonly Item[], section: Section): Fault | undefined {
  const first = group[0]?.placed;
  const last = group.at(-1)?.placed;
  if (!first || !last) return { fault: 'no item' };
  const items = new Set(group.map(({ placed }) => placed.index));
  // A container that begins under the heading is the list alone; a page body around the heading holds other things.
  const isOwn = parent.index >= (section.nodes[0]?.index ?? 0);
  for (const one of section.nodes) {
    if (one.parent !== parent || items.has(one.index)) continue;
    if (one.node.type === 'text' && isBlank(one.node.value)) continue;
    const isBetween = one.index > first.index && one.index < last.index;
    const isShown = one.veil === 'plain' || one.veil === 'doubtful';
    const isAlike = isShown && (one.node.type === 'text' || one.node.name === first.node.name);
    if (isOwn || isBetween || isAlike)
      return { fault: `${nameOf(one.node)} on line ${one.node.line} among the items, which is no address` };
  }
  const other = group.find(({ placed }) => placed.node.name !== first.node.name);
  if (other) return { fault: `items of two kinds, <${first.node.name}> and <${other.placed.node.name}>` };
  const cut = [parent, ...group.map(({ placed }) => placed)].find(({ node }) => !node.whole);
  if (cut)
    return {
      fault: `a list on line ${cut.node.line} whose end is not in the document: it may have been cut`,
    };
  return undefined;
}

/** Text that looks like an address, is no item, and stands neither in a sentence nor where nothing is read. */
function findStray(
  section: Section,
  listed: ReadonlySet<number>,
  sentences: ReadonlySet<Placed>,
): { text: string; line: number } | undefined {
  let end = -1;
  for (const one of section.nodes) {
    if (one.index < end) continue;
    if (listed.has(one.index) || one.veil === 'decoy' || one.veil === 'hidden') end = one.next;
    else if (one.node.type === 'text') {
      const isMention = one.veil === 'plain' && isWithin(one, sentences);
      if (!isMention && ADDRESS_LIKE.test(plain(one.node.value)))
        return { text: one.node.value, line: one.node.line };
    }
  }
  return undefined;
}

/** Prose that has words besides addresses: what it mentions is not listed. */
function findSentences(section: Section): Set<Placed> {
  const prose = section.nodes.filter((one) => isElement(one) && one.node.nature === 'prose');
  return new Set(prose.filter(({ node }) => /\p{L}/u.test(plain(textOf(node)).replace(ADDRESSES_LIKE, ' '))));
}

function isWithin(placed: Placed, elements: ReadonlySet<Placed>): boolean {
  for (let one: Placed | null = placed; one; one = one.parent) if (elements.has(one)) return true;
  return false;
}

// Every repetition is bounded, so that no text, however long, is searched more than a few times over.
const PART = String.raw`(?:0x[0-9a-f]{1,16}|\d{1,16})`;
const DOTTED = String.raw`${PART}(?:\s?\.\s?${PART}){3,}`;
const COLONS = String.raw`(?<![\w:])(?:(?:[0-9a-f]{0,4}:){4,}|(?:[0-9a-f]{1,4}:){1,3}:|::(?=[0-9a-f]))[0-9a-f:.]*(?![g-z_])`;
const ADDRESS_LIKE = new RegExp(`${DOTTED}|${COLONS}`, 'i');
const ADDRESSES_LIKE = new RegExp(`(?:${DOTTED}|${COLONS})(?:/\\d+)?`, 'gi');

/** Disguises taken off (full-width digits, zero-width characters): only to recognise an address, never to read one. */
function plain(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/[\p{Cc}\p{Cf}\p{M}]/gu, '')
    .replace(/[。．｡]/g, '.');
}

function withoutList(section: Section, looked: string): ParseResult {
  const place = `under ${excerpt(section.heading)} on line ${section.line}`;
  const shown = section.nodes.filter((one) => isElement(one) && one.veil === 'plain');
  const hollow = shown.find(
    ({ node }) => isElementNode(node) && LIST_NAME.test(node.name) && !significant(node).length,
  );
  if (hollow) return empty(looked, `a list without items ${place}`);
  const [text = ''] = section.nodes.flatMap(({ node, veil }) =>
    node.type === 'text' && veil === 'plain' && !isBlank(node.value) ? [node.value] : [],
  );
  if (!text) return malformed(looked, `nothing to read ${place}`);
  return malformed(looked, `no list ${place}, where the text begins with ${excerpt(text)}`);
}

const LIST_NAME = /^(?:ul|ol|section|Flex)$/;

function describeHeadings(headings: readonly string[], matches: number, root: ElementNode): string {
  if (matches > 1) return `${matches} headings of that name`;
  if (headings.length === 0) return `no headings, in a document that begins with ${excerpt(beginning(root))}`;
  const shown = headings.slice(0, 3).map(excerpt).join(', ');
  return `${counted(headings.length, 'other heading')}: ${shown}${headings.length > 3 ? ', …' : ''}`;
}

function beginning(node: TreeNode): string {
  return textOf(node).replace(/\s+/g, ' ').trim().slice(0, 100);
}

function positionOf(parent: PlacedElement, group: readonly Item[], section: Section): string {
  const lines = group.map(({ placed }) => placed.node.line);
  const [from, to] = [lines[0] ?? 0, lines.at(-1) ?? 0];
  const where = from === to ? `line ${from}` : `lines ${from} to ${to}`;
  const kind = group[0]?.placed.node.name ?? '';
  return `${group.length} <${kind}> in <${parent.node.name}> under ${excerpt(section.heading)}, ${where}`;
}

function lineOf(group: readonly Item[]): number {
  return group[0]?.placed.node.line ?? 0;
}

function nameOf(node: TreeNode): string {
  if (node.type === 'text') return excerpt(node.value);
  const text = beginning(node);
  return text ? excerpt(text) : `an empty <${node.name}>`;
}

function isElement(placed: Placed): placed is PlacedElement {
  return placed.node.type === 'element';
}

function isElementNode(node: TreeNode): node is ElementNode {
  return node.type === 'element';
}
