import { z } from 'zod';
import { type Cidr, parseCidr, sortCidrs } from '../../src/cidr.ts';
import { FatalError } from '../../src/errors.ts';
import { type Identity, isOurs, nameSchema } from '../provider.ts';
import type { Format } from './format.ts';

const documentSchema = z.strictObject({ owner: nameSchema, target: nameSchema, cidrs: z.array(z.string()) });

/**
 * The whole file is ours: `{"owner":…,"target":…,"cidrs":[…]}`. A file of any other shape, or of another owner or
 * target, is somebody else's; an empty one (made to settle mode and owner) is nobody's. Without an address left it
 * stays, with an empty list: whoever reads it must not find it gone.
 */
export const json: Format = {
  parse: (content, identity, path) => {
    if (content.trim() === '') return { entries: [], strange: [] };
    const { cidrs, ...marker } = documentOf(content, identity, path);
    const found = new Set<Cidr>();
    const strange: string[] = [];
    for (const [index, text] of cidrs.entries()) {
      const parsed = parseCidr(text);
      if (parsed.ok) found.add(parsed.cidr);
      else strange.push(`cidrs[${index}]`);
    }
    return { entries: [...found].map((cidr) => ({ cidr, marker })), strange };
  },
  render: (content, identity, path, cidrs) => {
    if (content.trim() !== '') documentOf(content, identity, path);
    const { owner, target } = identity;
    return `${JSON.stringify({ owner, target, cidrs: sortCidrs(cidrs) }, null, 2)}\n`;
  },
};

function documentOf(content: string, identity: Identity, path: string): z.output<typeof documentSchema> {
  const parsed = documentSchema.safeParse(parseJson(content));
  if (!parsed.success) throw notOwned(`${path} is not a file of this tool`);
  const { owner, target } = parsed.data;
  if (!isOurs({ owner, target }, identity))
    throw notOwned(`${path} belongs to owner ${owner}, target ${target}`);
  return parsed.data;
}

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

function notOwned(message: string): FatalError {
  return new FatalError('not-owned', message, {
    hint: 'With the format `json` the whole file is the target: choose another path, or move the file away.',
  });
}
