import { type DefaultTreeAdapterTypes, defaultTreeAdapter, parse, type Token } from 'parse5';
import { lookedFor, readList } from './list.ts';
import { malformed, type ParseResult, Unreadable } from './result.ts';
import { STREAMLIT_HEADINGS } from './schema.ts';
import { type ElementNode, headingLevel, MAX_DEPTH, natureOf, type TreeNode } from './tree.ts';

/** More elements than any page for people has. Broken formatting makes the standard's algorithm multiply them. */
const MAX_ELEMENTS = 300_000;

/** Elements whose end tag the standard lets authors leave out: https://html.spec.whatwg.org/#optional-tags */
const OPTIONAL_END = new Set(['html', 'body', 'li', 'p', 'dt', 'dd']);

/**
 * Reads the list of addresses under a heading of an HTML page. A page that does not reach its `</html>` was cut
 * (the parser itself never says so) and is malformed.
 */
export function parseHtml(document: string, options: { heading?: string | undefined } = {}): ParseResult {
  const headings = options.heading === undefined ? STREAMLIT_HEADINGS : [options.heading];
  try {
    return readList(treeOf(document), headings);
  } catch (error) {
    if (error instanceof Unreadable)
      return malformed(`${lookedFor(headings)} in a whole HTML page`, error.message);
    throw error;
  }
}

function treeOf(document: string): ElementNode {
  const page = parse(document, { sourceCodeLocationInfo: true, treeAdapter: limitedAdapter() });
  const html = page.childNodes.find((node) => node.nodeName === 'html');
  if (!html || !('tagName' in html)) throw new Unreadable('none');
  const end = html.sourceCodeLocation?.endTag?.endOffset;
  if (end === undefined)
    throw new Unreadable(`a document of ${document.length} characters that never reaches its </html>`);
  if (!/^(?:\s|<!--(?:(?!-->)[\s\S])*-->)*$/.test(document.slice(end)))
    throw new Unreadable('more of the page after its </html>');
  return elementOf(html, document);
}

function elementOf(element: DefaultTreeAdapterTypes.Element, document: string): ElementNode {
  const attributes = new Map(element.attrs.map(({ name, value }) => [name, value]));
  const name = element.tagName;
  const location = element.sourceCodeLocation;
  return {
    type: 'element',
    name,
    nature: natureOf(name, attributes),
    level: headingLevel(name, attributes),
    children: element.childNodes.flatMap((child) => nodeOf(child, document)),
    line: location?.startLine ?? 0,
    whole: location?.endTag !== undefined || OPTIONAL_END.has(name),
  };
}

function nodeOf(node: DefaultTreeAdapterTypes.ChildNode, document: string): TreeNode[] {
  if (defaultTreeAdapter.isElementNode(node)) return [elementOf(node, document)];
  if (!defaultTreeAdapter.isTextNode(node)) return [];
  const location = node.sourceCodeLocation;
  const source = location ? document.slice(location.startOffset, location.endOffset) : '';
  return [{ type: 'text', value: node.value, source, line: location?.startLine ?? 0 }];
}

const START = { startLine: 1, startCol: 1, startOffset: 0, endLine: 1, endCol: 1, endOffset: 0 };

/** The parser's own tree, which gives up on documents that would cost minutes. */
function limitedAdapter(): typeof defaultTreeAdapter {
  let elements = 0;
  let depth = 0;
  const limit = (value: number, most: number, what: string) => {
    if (value > most) throw new Unreadable(`more than ${most} ${what}`);
  };
  return {
    ...defaultTreeAdapter,
    createElement(tagName, namespace, attributes: Token.Attribute[]) {
      elements += 1;
      limit(elements, MAX_ELEMENTS, 'elements');
      const element = defaultTreeAdapter.createElement(tagName, namespace, attributes);
      // The parser notes an end tag only where it noted the start; an <html> that is left out begins at the top.
      if (tagName === 'html') element.sourceCodeLocation = { ...START };
      return element;
    },
    onItemPush() {
      depth += 1;
      limit(depth, MAX_DEPTH, 'elements inside one another');
    },
    onItemPop() {
      depth -= 1;
    },
  };
}
