/**
 * Lines of ours between two marker comments, in a file that may hold lines of others:
 *
 *     # BEGIN allowlist-sync/v1 owner=acme-prod target=edge
 *     34.19.100.134/32
 *     # END allowlist-sync/v1 owner=acme-prod target=edge
 *
 * An empty pair that somebody places says where the block is to go. What is outside is kept byte for byte.
 */
import { type Cidr, parseCidr, sortCidrs, toCidr } from '../../src/cidr.ts';
import { FatalError } from '../../src/errors.ts';
import { formatMarker, type Identity, isOurs, type Marker, markerOf, parseMarker } from '../provider.ts';
import type { Format, Found } from './format.ts';

/** How one line of a file is read and written. */
interface Syntax {
  /** The addresses a line allows; none for blank lines and comments; null for anything else. */
  read(line: string): readonly Cidr[] | null;
  write(cidr: Cidr): string;
  /** A new block goes before the first line outside that matches, else to the end. */
  readonly goesBefore?: RegExp;
}

/** One CIDR a line, `#` comments. */
export const text: Format = blockFormat({
  read: (line) => {
    const body = withoutComment(line);
    if (body === '') return [];
    const parsed = parseCidr(body);
    return parsed.ok ? [parsed.cidr] : null;
  },
  write: (cidr) => cidr,
});

/**
 * `allow …;` lines. nginx takes the first line that matches, so a new block goes before the first `deny`.
 * https://nginx.org/en/docs/http/ngx_http_access_module.html
 */
export const nginx: Format = blockFormat({
  read: (line) => {
    const body = withoutComment(line);
    if (body === '') return [];
    const address = body.match(/^allow\s+([^\s;]+)\s*;$/)?.[1];
    if (address === 'all') return [toCidr('0.0.0.0/0'), toCidr('::/0')];
    const parsed = parseCidr(address ?? '');
    return parsed.ok ? [parsed.cidr] : null;
  },
  write: (cidr) => `allow ${cidr};`,
  goesBefore: /^\s*deny\s/,
});

/** Consecutive lines between two markers, or outside of any (marker null). */
interface Section {
  readonly marker: Marker | null;
  /** Number of the first line, from 1; for a block that of its BEGIN. */
  readonly start: number;
  /** With their line ends; for a block BEGIN and END too. */
  readonly lines: string[];
}

/** That of UTF-8, a character for each byte. */
const BYTE_ORDER_MARK = '\xef\xbb\xbf';

function blockFormat(syntax: Syntax): Format {
  return {
    parse: (content, identity, path) => find(sectionsOf(content, identity, path), syntax, identity),
    render: (content, identity, path, cidrs) => {
      const eol = content.match(/\r?\n/)?.[0] ?? '\n';
      const whole = content === '' || content.endsWith('\n');
      const sections = sectionsOf(whole ? content : content + eol, identity, path);
      const result = place(sections, blockOf(cidrs, identity, syntax, eol), identity, syntax);
      return whole ? result : result.slice(0, result.length - eol.length);
    },
  };
}

function find(sections: readonly Section[], syntax: Syntax, identity: Identity): Found {
  const entries: { cidr: Cidr; marker: Marker | null }[] = [];
  const strange: string[] = [];
  for (const { marker, start, lines } of sections) {
    for (const [index, line] of lines.entries()) {
      const cidrs = syntax.read(line);
      if (cidrs === null && isOurs(marker, identity)) strange.push(`line ${start + index}`);
      for (const cidr of cidrs ?? []) entries.push({ cidr, marker });
    }
  }
  return { entries, strange };
}

/** The first block of ours is replaced, others of ours (under previous names) are merged into it. */
function place(sections: readonly Section[], block: string, identity: Identity, syntax: Syntax): string {
  let placed = false;
  let result = '';
  for (const { marker, lines } of sections) {
    if (!isOurs(marker, identity)) result += lines.join('');
    else if (!placed) {
      result += block;
      placed = true;
    }
  }
  if (placed) return result;
  const before = syntax.goesBefore;
  const spot = sections
    .filter(({ marker }) => marker === null)
    .find(({ lines }) => lines.some((line) => before?.test(line)));
  return (
    sections.map((section) => insert(section, section === spot, block, before)).join('') + (spot ? '' : block)
  );
}

function insert(section: Section, here: boolean, block: string, before: RegExp | undefined): string {
  if (!here) return section.lines.join('');
  const at = section.lines.findIndex((line) => before?.test(line));
  return [...section.lines.slice(0, at), block, ...section.lines.slice(at)].join('');
}

function blockOf(cidrs: readonly Cidr[], identity: Identity, syntax: Syntax, eol: string): string {
  if (cidrs.length === 0) return '';
  const marker = formatMarker(markerOf(identity));
  const lines = [`# BEGIN ${marker}`, ...sortCidrs(cidrs).map(syntax.write), `# END ${marker}`];
  return lines.map((line) => line + eol).join('');
}

/**
 * Throws `object-differs` with the line when markers are broken, nested, not closed, or ours are there twice: whose
 * lines are whose could then only be guessed.
 */
function sectionsOf(content: string, identity: Identity, path: string): Section[] {
  const sections: Section[] = [];
  const bom = content.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : '';
  let current: Section = { marker: null, start: 1, lines: bom === '' ? [] : [bom] };
  const startAnew = (marker: Marker | null, start: number) => {
    if (current.lines.length > 0) sections.push(current);
    current = { marker, start, lines: [] };
  };
  for (const [index, line] of (content.slice(bom.length).match(/[^\n]*\n|[^\n]+$/g) ?? []).entries()) {
    const number = index + 1;
    const edge = edgeOf(line);
    if (edge === 'broken') throw differs(path, number, 'is a broken allowlist-sync marker');
    if (edge?.kind === 'BEGIN') {
      if (current.marker) throw differs(path, number, `begins a block inside that of line ${current.start}`);
      const twin = sections.find(({ marker }) => isOurs(marker, identity) && same(marker, edge.marker));
      if (twin) throw differs(path, number, `begins the block of line ${twin.start} a second time`);
      startAnew(edge.marker, number);
    }
    if (edge?.kind === 'END' && !same(current.marker, edge.marker))
      throw differs(path, number, 'ends a block that was not begun');
    current.lines.push(line);
    if (edge?.kind === 'END') startAnew(null, number + 1);
  }
  if (current.marker) throw differs(path, current.start, 'begins a block that never ends');
  startAnew(null, 0);
  return sections;
}

/** A marker comment of anybody; `broken` when it names this tool and cannot be read. */
function edgeOf(line: string): { kind: 'BEGIN' | 'END'; marker: Marker } | 'broken' | undefined {
  const [kind, magic, ...rest] =
    line
      .match(/^\s*#+\s*(.*)$/s)?.[1]
      ?.trim()
      .split(/\s+/) ?? [];
  if ((kind !== 'BEGIN' && kind !== 'END') || !magic?.startsWith('allowlist-sync/')) return undefined;
  const marker = parseMarker([magic, ...rest].join(' '));
  return marker ? { kind, marker } : 'broken';
}

function same(a: Marker | null, b: Marker | null): boolean {
  return a?.owner === b?.owner && a?.target === b?.target;
}

function withoutComment(line: string): string {
  return line.replace(/#.*$/s, '').trim();
}

function differs(path: string, line: number, what: string): FatalError {
  return new FatalError('object-differs', `line ${line} of ${path} ${what}`, {
    hint: 'Correct the marker lines by hand, or take the whole block out: it is then written afresh.',
  });
}
