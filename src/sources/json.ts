import { empty, excerpt, type ListedAddress, listedAddress, malformed, type ParseResult } from './result.ts';

/**
 * Reads an array of strings at a JSON pointer (RFC 6901). Every element must be an address or CIDR and nothing
 * around it.
 */
export function parseJson(document: string, options: { pointer?: string | undefined } = {}): ParseResult {
  const pointer = options.pointer ?? '';
  const place = pointer === '' ? 'the top of the document' : pointer;
  const looked = `an array of addresses at ${place}`;
  let value: unknown;
  try {
    value = JSON.parse(document);
  } catch {
    return malformed(looked, `a document that is no JSON and begins with ${excerpt(document.slice(0, 200))}`);
  }
  const steps = pointer.split('/').slice(1);
  for (const [index, step] of steps.entries()) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    const at = steps.slice(0, index).join('/');
    const next = child(value, key);
    if (next === undefined) return malformed(looked, `${kindOf(value)} at /${at} without ${excerpt(key)}`);
    value = next;
  }
  if (!Array.isArray(value)) return malformed(looked, `${kindOf(value)} there`);
  const elements: readonly unknown[] = value;
  const entries: ListedAddress[] = [];
  for (const [index, element] of elements.entries()) {
    if (typeof element !== 'string') return malformed(looked, `${kindOf(element)} as element ${index}`);
    const address = listedAddress(element);
    if ('reason' in address)
      return malformed(looked, `${excerpt(element)} as element ${index}: ${address.reason}`);
    entries.push(address);
  }
  if (entries.length === 0) return empty(looked, 'an array without elements');
  return { ok: true, entries, position: `${entries.length} elements at ${place}` };
}

function child(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return /^(?:0|[1-9]\d*)$/.test(key) ? value[Number(key)] : undefined;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return Object.getOwnPropertyDescriptor(value, key)?.value;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
