import { z } from 'zod';
import { type Cidr, parseCidr, sortCidrs } from '../cidr.ts';

/** The form of https://www.gstatic.com/ipranges/cloud.json, described at
 * https://cloud.google.com/vpc/docs/configure-private-google-access#ip-addr-defaults; unknown keys are passed over. */
const rangesSchema = z.object({
  prefixes: z
    .array(
      z.object({
        ipv4Prefix: z.string().optional(),
        ipv6Prefix: z.string().optional(),
        service: z.string().optional(),
        scope: z.string(),
      }),
    )
    .min(1),
});

/** A range outside the scopes that count, and whose it is: enough to name the owner of a stranger. */
export interface OwnedRange {
  readonly range: Cidr;
  /** `Google Cloud us-east1`. */
  readonly owner: string;
}

export type ParsedRanges =
  | { readonly ok: true; readonly cidrs: readonly Cidr[]; readonly others: readonly OwnedRange[] }
  | { readonly ok: false; readonly detail: string };

/**
 * The publisher's ranges of the given scopes. Refused, rather than read in part, when the document is another one, a
 * prefix is no CIDR, or a scope has no prefix: provenance would then call good addresses foreign.
 */
export function parseRanges(document: string, scopes: readonly string[]): ParsedRanges {
  let json: unknown;
  try {
    json = JSON.parse(document);
  } catch {
    return { ok: false, detail: 'the document is not JSON' };
  }
  const parsed = rangesSchema.safeParse(json);
  if (!parsed.success) return { ok: false, detail: 'the document has no list of prefixes with scopes' };
  const cidrs: Cidr[] = [];
  for (const scope of scopes) {
    const mine = parsed.data.prefixes.filter((prefix) => prefix.scope === scope);
    if (mine.length === 0) return { ok: false, detail: `no prefix has the scope ${scope}` };
    for (const { ipv4Prefix, ipv6Prefix } of mine) {
      const prefix = parseCidr(ipv4Prefix ?? ipv6Prefix ?? '');
      if (!prefix.ok) return { ok: false, detail: `a prefix of ${scope} is no CIDR` };
      cidrs.push(prefix.cidr);
    }
  }
  const others = parsed.data.prefixes.flatMap(({ ipv4Prefix, ipv6Prefix, service, scope }): OwnedRange[] => {
    if (scopes.includes(scope)) return [];
    const prefix = parseCidr(ipv4Prefix ?? ipv6Prefix ?? '');
    // Only for a name in a message, so one that cannot be read is passed over.
    return prefix.ok ? [{ range: prefix.cidr, owner: [service, scope].filter(Boolean).join(' ') }] : [];
  });
  return { ok: true, cidrs: sortCidrs(cidrs), others };
}
