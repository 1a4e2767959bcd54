/** What the documentation holds, taken apart: code blocks, code spans, links, tables, generated parts. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Page {
  /** From the root: `docs/config.md`. */
  readonly name: string;
  readonly text: string;
}

export interface Block {
  readonly page: string;
  /** The line of its fence, from 1. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
}

/** Every page that people read: those at the root, and docs/. */
export function readPages(): Page[] {
  const docs = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', 'SECURITY.md', 'CHANGELOG.md', ...docs.map((name) => `docs/${name}`)].map((name) => ({
    name,
    text: readFileSync(join(ROOT, name), 'utf8'),
  }));
}

export function blocksOf({ name, text }: Page): Block[] {
  return [...text.matchAll(/^```([^\n]*)\n(.*?)^```$/gms)].map(
    ({ 1: language = '', 2: code = '', index }) => ({
      page: name,
      line: text.slice(0, index).split('\n').length,
      language: language.trim(),
      code,
    }),
  );
}

/** Text between back ticks, outside of blocks. */
export function spansOf({ text }: Page): string[] {
  const prose = text.replace(/^```.*?^```$/gms, '');
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
}

/** Where the links of a page lead, from the root, with the heading after `#`; links to the web are left out. */
export function linksOf({ name, text }: Page): { path: string; heading: string | null }[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
    if (/^[a-z]+:/.test(target)) return [];
    const [path = '', heading = null] = target.split('#');
    return [{ path: path === '' ? name : join(dirname(name), path), heading }];
  });
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );
}

/** The rows of every table whose first column has this title, as their cells. */
export function tablesOf(text: string, title: string): string[][] {
  const tables = text.matchAll(new RegExp(`^\\| ${title} \\|.*\\n\\|[ |:-]+\\|\\n((?:\\|.*\\n)*)`, 'gm'));
  return [...tables].flatMap(([, rows = '']) =>
    rows
      .trimEnd()
      .split('\n')
      .map((row) =>
        row
          .split(/(?<!\\)\|/)
          .slice(1, -1)
          .map((cell) => cell.trim()),
      ),
  );
}

/** The first code span of a cell. */
export function codeOf(cell: string | undefined): string {
  return /^`([^`]+)`/.exec(cell ?? '')?.[1] ?? '';
}

const GENERATED = /^<!-- from the code: ([^\n]+) -->\n.*?^<!-- end -->$/gms;

export function generatedParts({ text }: Page): string[] {
  return [...text.matchAll(GENERATED)].map(([, name = '']) => name);
}

/** The page with every generated part made anew. */
export function regenerate({ text }: Page, make: (name: string) => string): string {
  return text.replace(
    GENERATED,
    (_part, name: string) => `<!-- from the code: ${name} -->\n${make(name)}\n<!-- end -->`,
  );
}
