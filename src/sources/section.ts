import { type ElementNode, isBlank, type Nature, type TreeNode, textOf } from './tree.ts';

/** A node with its place in the document: what is above it, and what that means for it. */
export interface Placed {
  readonly node: TreeNode;
  readonly parent: Placed | null;
  /** The strongest of its own nature and those above it; `plain` stands for prose too. */
  readonly veil: 'plain' | 'doubtful' | 'decoy' | 'hidden';
  /** Where it stands in document order, and where what follows it stands. */
  readonly index: number;
  next: number;
}

/** A heading and all that stands under it, in document order. */
export interface Section {
  readonly heading: string;
  readonly line: number;
  readonly nodes: readonly Placed[];
}

export type FoundSection =
  | { ok: true; section: Section }
  | { ok: false; headings: readonly string[]; matches: number };

/**
 * The section under the one heading whose text is one of `wanted`, up to the next heading of the same or a higher
 * level. A heading in a note is part of its note and ends nothing; a hidden one is not there at all. Two matching
 * headings are as bad as none: nobody can say which is meant.
 */
export function findSection(root: ElementNode, wanted: readonly string[]): FoundSection {
  const nodes = inOrder(root);
  const headings = nodes.filter(({ node, veil }) => isHeading(node) && veil !== 'hidden');
  const names = new Set(wanted.map(normalised));
  const matching = headings.filter(({ node }) => names.has(normalised(textOf(node))));
  const [heading] = matching;
  if (!heading || matching.length > 1 || !isHeading(heading.node))
    return { ok: false, headings: headings.map(({ node }) => textOf(node)), matches: matching.length };
  const { level } = heading.node;
  const end = headings.find(
    ({ node, index, veil }) =>
      index >= heading.next && isHeading(node) && node.level <= level && veil === 'plain',
  );
  return {
    ok: true,
    section: {
      heading: textOf(heading.node),
      line: heading.node.line,
      nodes: heading.veil === 'plain' ? nodes.slice(heading.next, end?.index ?? nodes.length) : [],
    },
  };
}

function isHeading(node: TreeNode): node is ElementNode & { level: number } {
  return node.type === 'element' && node.level !== null;
}

/** Letter case, white space, the kind of apostrophe and a permalink sign do not make another heading. */
function normalised(text: string): string {
  return text
    .replace(/[‘’]/g, "'")
    .replace(/[#¶§🔗]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase();
}

function inOrder(root: ElementNode): Placed[] {
  const placed: Placed[] = [];
  const visit = (node: TreeNode, parent: Placed | null): void => {
    const own = node.type === 'text' ? 'plain' : node.nature;
    const one: Placed = {
      node,
      parent,
      veil: stronger(parent?.veil ?? 'plain', own),
      index: placed.length,
      next: 0,
    };
    placed.push(one);
    if (node.type === 'element') for (const child of node.children) visit(child, one);
    one.next = placed.length;
  };
  visit(root, null);
  return placed;
}

function stronger(above: Placed['veil'], own: Nature): Placed['veil'] {
  const order = ['plain', 'doubtful', 'decoy', 'hidden'] as const;
  const mine = own === 'prose' ? 'plain' : own;
  return order.indexOf(mine) > order.indexOf(above) ? mine : above;
}

/** Children that a reader sees something of: all but blank text. */
export function significant(node: ElementNode): TreeNode[] {
  return node.children.filter((child) => child.type === 'element' || !isBlank(child.value));
}
