import type { Nodes, Root } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { type MdxJsxFlowElement, type MdxJsxTextElement, mdxFromMarkdown } from 'mdast-util-mdx';
import { mdxjs } from 'micromark-extension-mdxjs';
import { lookedFor, readList } from './list.ts';
import { excerpt, malformed, type ParseResult, Unreadable } from './result.ts';
import { STREAMLIT_HEADINGS } from './schema.ts';
import {
  type ElementNode,
  headingLevel,
  isBlank,
  MAX_DEPTH,
  type Nature,
  natureOf,
  type TreeNode,
} from './tree.ts';

/** Twenty times the real page. Beyond it the Markdown parser can be made to take minutes. */
const MAX_LENGTH = 128 * 1024;
const NESTED_QUOTES = /^(?:[ \t]*>){33}/m;

type Jsx = MdxJsxFlowElement | MdxJsxTextElement;

/**
 * Reads the list of addresses under a heading of a Markdown document with components (MDX). It must parse whole.
 * A list that no closing tag ends must be followed by a whole line of something else: Markdown has no end mark, so
 * a list that is the last thing there cannot be told from one that was cut.
 */
export function parseMarkdown(document: string, options: { heading?: string | undefined } = {}): ParseResult {
  const headings = options.heading === undefined ? STREAMLIT_HEADINGS : [options.heading];
  try {
    return readList(treeOf(document), headings);
  } catch (error) {
    if (error instanceof Unreadable)
      return malformed(`${lookedFor(headings)} in a whole Markdown document`, error.message);
    throw error;
  }
}

function treeOf(document: string): ElementNode {
  if (document.length > MAX_LENGTH)
    throw new Unreadable(`${document.length} characters, more than ${MAX_LENGTH}`);
  if (NESTED_QUOTES.test(document)) throw new Unreadable('quotes nested more than 32 deep');
  const root = parsed(withoutFrontMatter(document));
  return { ...nodeOf(root, document, 0), whole: endsInText(root, document) };
}

/** Whether the document ends in something other than components: a row of them without a container may go on. */
function endsInText(root: Root, document: string): boolean {
  const last = root.children.at(-1);
  return (
    !last ||
    (document.endsWith('\n') && !isJsx(last) && !('children' in last && isOnlyComponents(last.children)))
  );
}

function parsed(document: string): Root {
  try {
    return fromMarkdown(document, { extensions: [mdxjs()], mdastExtensions: [mdxFromMarkdown()] });
  } catch (error) {
    // The parser's message quotes the document.
    throw new Unreadable(`one that does not parse: ${excerpt(error instanceof Error ? error.message : '')}`);
  }
}

/** Front matter is YAML between two lines of `---`; blanked out, so that lines keep their numbers. */
function withoutFrontMatter(document: string): string {
  const matter = /^---[ \t]*\r?\n[\s\S]*?\n---[ \t]*(?:\r?\n|$)/.exec(document)?.[0];
  return matter ? matter.replace(/[^\r\n]/g, ' ') + document.slice(matter.length) : document;
}

function nodeOf(node: Nodes, document: string, depth: number): ElementNode {
  if (depth > MAX_DEPTH) throw new Unreadable(`elements more than ${MAX_DEPTH} deep`);
  const attributes = isJsx(node) ? attributesOf(node) : new Map<string, string>();
  const name = isJsx(node) ? (node.name ?? 'fragment') : nameOf(node);
  const line = node.position?.start.line ?? 0;
  return {
    type: 'element',
    name,
    nature: isJsx(node) ? natureOf(name, attributes) : markdownNature(node, document),
    level: node.type === 'heading' ? node.depth : headingLevel(name, attributes),
    children: childrenOf(node, document, depth),
    line,
    whole: isJsx(node) || node.type === 'listItem' || isFollowed(node, document),
  };
}

function childrenOf(node: Nodes, document: string, depth: number): TreeNode[] {
  if ('children' in node) {
    return node.children.flatMap((child): TreeNode[] => {
      if (child.type === 'text') return [textNode(child.value, child, document)];
      // A paragraph of nothing but components is no paragraph: MDX itself dissolves it (https://mdxjs.com/docs/what-is-mdx).
      if (child.type === 'paragraph' && isOnlyComponents(child.children))
        return childrenOf(child, document, depth);
      return [nodeOf(child, document, depth + 1)];
    });
  }
  return 'value' in node ? [textNode(node.value, node, document)] : [];
}

function textNode(value: string, node: Nodes, document: string): TreeNode {
  const { start, end } = node.position ?? {};
  return { type: 'text', value, source: document.slice(start?.offset, end?.offset), line: start?.line ?? 0 };
}

function isOnlyComponents(children: readonly Nodes[]): boolean {
  return (
    children.some(isJsx) &&
    children.every(
      (child) =>
        isJsx(child) || child.type === 'mdxTextExpression' || (child.type === 'text' && isBlank(child.value)),
    )
  );
}

/** Whether a whole line of something else follows, so that the document was not cut inside or at the end of it. */
function isFollowed(node: Nodes, document: string): boolean {
  const end = node.position?.end.offset;
  return end !== undefined && /^[^\n]*\n\s*\S[^\n]*\n/.test(document.slice(end));
}

function isJsx(node: Nodes): node is Jsx {
  return node.type === 'mdxJsxFlowElement' || node.type === 'mdxJsxTextElement';
}

/** Attributes as strings; what is computed (`style={{…}}`) as it is written. Spread attributes have no name. */
function attributesOf(node: Jsx): Map<string, string> {
  return new Map(
    node.attributes.flatMap((attribute): [string, string][] => {
      if (attribute.type !== 'mdxJsxAttribute') return [];
      const { name, value } = attribute;
      return [[name, typeof value === 'object' ? (value?.value ?? '') : (value ?? '')]];
    }),
  );
}

/** HTML's names, so that a message reads the same for a page and its source. */
function nameOf(node: Nodes): string {
  const names: Partial<Record<Nodes['type'], string>> = {
    root: 'body',
    paragraph: 'p',
    listItem: 'li',
    link: 'a',
    emphasis: 'em',
    inlineCode: 'code',
  };
  if (node.type === 'heading') return `h${node.depth}`;
  if (node.type === 'list') return node.ordered ? 'ol' : 'ul';
  return names[node.type] ?? node.type;
}

function markdownNature(node: Nodes, document: string): Nature {
  switch (node.type) {
    case 'paragraph':
      // A table of GitHub's Markdown, which this dialect reads as a paragraph.
      return document[node.position?.start.offset ?? 0] === '|' ? 'doubtful' : 'prose';
    case 'code':
    case 'inlineCode':
    case 'blockquote':
      return 'decoy';
    case 'mdxjsEsm':
    case 'definition':
      return 'hidden';
    case 'mdxFlowExpression':
    case 'mdxTextExpression':
      return /^\s*\/\*(?:(?!\*\/)[\s\S])*\*\/\s*$/.test(node.value) ? 'hidden' : 'doubtful';
    default:
      return 'plain';
  }
}
