import { readFile } from 'node:fs/promises';
import { extname, relative, resolve } from 'node:path';
import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { FatalError } from '../errors.ts';

const CONFIG_NAMES = [
  'allowlist-sync.config.json',
  'allowlist-sync.config.yaml',
  'allowlist-sync.config.yml',
] as const;

export interface Place {
  /** What `--config` said. */
  readonly path?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute; what relative paths on the command line and in the environment start from. */
  readonly cwd: string;
}

export interface ConfigFile {
  /** Absolute. */
  readonly path: string;
  /** The path as people know it: from the working directory where it lies below it. */
  readonly shown: string;
  /** The parsed content, not looked at yet. */
  readonly value: unknown;
}

/**
 * Finds, reads and parses the config file. Throws `config-missing` with the places that were looked at when there
 * is none or it cannot be read, `config-invalid` with line and column when it is no JSON (with comments) or YAML.
 */
export async function readConfigFile(place: Place): Promise<ConfigFile> {
  const fromEnv = place.env.ALLOWLIST_SYNC_CONFIG;
  const named = place.path ?? (fromEnv || undefined);
  const how = place.path === undefined ? 'ALLOWLIST_SYNC_CONFIG' : '--config';
  for (const name of named === undefined ? CONFIG_NAMES : [named]) {
    const path = resolve(place.cwd, name);
    const shown = shownPath(path, place.cwd);
    const text = await readText(path, named === undefined ? shown : `${shown} (${how})`);
    if (text !== undefined) return { path, shown, value: await parse(text, path, shown) };
  }
  if (named === undefined) {
    const names = CONFIG_NAMES.join(', ');
    throw new FatalError('config-missing', `no config file: looked for ${names} in ${place.cwd}`);
  }
  const path = shownPath(resolve(place.cwd, named), place.cwd);
  throw new FatalError('config-missing', `no config file: ${path} (${how}) does not exist`);
}

async function readText(path: string, shown: string): Promise<string | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    return text.startsWith('\uFEFF') ? text.slice(1) : text;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    const why = { EACCES: 'permission denied', EPERM: 'permission denied', EISDIR: 'it is a folder' }[code];
    throw new FatalError('config-missing', `${shown} cannot be read: ${why ?? code}`, { cause: error });
  }
}

/** By the file's ending: `.yaml` and `.yml` are YAML, everything else is JSON. */
async function parse(text: string, path: string, shown: string): Promise<unknown> {
  const isYaml = ['.yaml', '.yml'].includes(extname(path));
  const { value, flaw } = isYaml ? await parseYaml(text) : parseJson(text);
  if (flaw) throw new FatalError('config-invalid', `${shown}:${flaw.line}:${flaw.column}: ${flaw.reason}`);
  return value;
}

interface Parsed {
  readonly value?: unknown;
  /** The first thing that is wrong; its words hold nothing of the text, which may be a secret. */
  readonly flaw?: { readonly line: number; readonly column: number; readonly reason: string };
}

function parseJson(text: string): Parsed {
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error)
    return { flaw: { ...position(text, error.offset), reason: words(printParseErrorCode(error.error)) } };
  if (!tree) return { flaw: { line: 1, column: 1, reason: 'the file is empty' } };
  const repeated = findRepeatedKey(tree);
  if (repeated) return { flaw: { ...position(text, repeated.offset), reason: 'this key is there twice' } };
  return { value: plain(tree) };
}

/** The parser is loaded when it is needed: most configs are JSON, and it costs as much as all the rest of a start. */
async function parseYaml(text: string): Promise<Parsed> {
  const { LineCounter, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(text, { prettyErrors: false, lineCounter: lines, stringKeys: true });
  const [error] = [...document.errors, ...document.warnings];
  if (error) {
    const { line, col } = lines.linePos(error.pos[0]);
    const reason = error.code === 'DUPLICATE_KEY' ? 'this key is there twice' : words(error.code);
    return { flaw: { line, column: col, reason } };
  }
  try {
    const value: unknown = document.toJS();
    return value === null ? { flaw: { line: 1, column: 1, reason: 'the file is empty' } } : { value };
  } catch {
    return {
      flaw: { line: 1, column: 1, reason: 'an alias (`*name`) has no anchor, or there are too many' },
    };
  }
}

/** Keys that JSON would let win silently: in a file that opens firewalls the earlier one is not to be forgotten. */
function findRepeatedKey(node: Node): Node | undefined {
  const seen = new Set<unknown>();
  for (const part of node.children ?? []) {
    const [key] = node.type === 'object' ? (part.children ?? []) : [];
    if (key && seen.has(key.value)) return key;
    if (key) seen.add(key.value);
    const inside = findRepeatedKey(part);
    if (inside) return inside;
  }
  return undefined;
}

function plain(node: Node): unknown {
  if (node.type === 'array') return (node.children ?? []).map(plain);
  if (node.type !== 'object') return node.value;
  const pairs = (node.children ?? []).flatMap(({ children: [key, value] = [] }) =>
    key && value ? [[String(key.value), plain(value)] as const] : [],
  );
  return Object.fromEntries(pairs);
}

function position(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
}

/** `CloseBraceExpected` and `TAB_AS_INDENT` as words. */
function words(code: string): string {
  return code
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase();
}

function shownPath(path: string, cwd: string): string {
  const inside = relative(cwd, path);
  return inside === '' || inside.startsWith('..') ? path : inside;
}
