import {
  counted,
  empty,
  excerpt,
  type ListedAddress,
  listedAddress,
  malformed,
  type ParseResult,
} from './result.ts';

const LOOKED = 'one address or CIDR a line, and # comments';

/** Reads a plain list: one address or CIDR a line; `#` starts a comment. Anything else makes it malformed. */
export function parseText(document: string): ParseResult {
  const entries: ListedAddress[] = [];
  const lines = document.split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    const text = line.replace(/(?:^|[ \t])#.*$/, '').replace(/^[ \t]+|[ \t]+$/g, '');
    if (text === '') continue;
    const address = listedAddress(text);
    if ('reason' in address)
      return malformed(LOOKED, `${excerpt(line)} on line ${index + 1}: ${address.reason}`);
    entries.push(address);
  }
  if (entries.length === 0) return empty(LOOKED, `no address in ${counted(lines.length, 'line')}`);
  return { ok: true, entries, position: `${counted(entries.length, 'address line')} of ${lines.length}` };
}
