import { z } from 'zod';
import { type Cidr, familyOf, parseCidr, prefixLength, toCidr } from '../cidr.ts';
import { validateCron } from '../daemon/cron.ts';
import { urlProblem } from '../sources/address.ts';
import { closest } from './suggest.ts';

/** The shortest prefixes that a provider would ever write. */
const LEAST_PREFIX = { ipv4: 8, ipv6: 16 } as const;

/**
 * One CIDR of the config, canonical. Host bits are refused: `10.1.2.3/8` is either one address or a network, and
 * guessing opens or closes sixteen million addresses.
 */
export const cidrSchema = z.string().transform((text, context): Cidr => {
  const parsed = parseCidr(text);
  if (parsed.ok && !parsed.hostBits) return parsed.cidr;
  const message = parsed.ok
    ? `«${text}» has host bits set; write ${parsed.cidr} for the network or ${toCidr(text.replace(/\/.*/, ''))} for the address`
    : `«${text}» is no address: ${parsed.reason}`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

/** A CIDR that is to be allowed. */
export const extraCidrSchema = cidrSchema.superRefine((cidr, context) => {
  const least = LEAST_PREFIX[familyOf(cidr)];
  if (prefixLength(cidr) >= least) return;
  const message = `${cidr} is broader than /${least}: no target is ever opened that far`;
  context.addIssue({ code: 'custom', message });
});

export const cronSchema = textSchema(validateCron);

/** An IANA time zone, as `Intl` knows it. */
export const timezoneSchema = textSchema((name) => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return undefined;
  } catch {
    const meant = closest(name, Intl.supportedValuesOf('timeZone'));
    const hint = meant ? `; did you mean ${meant}?` : ', such as Europe/Berlin or UTC';
    return `must be the IANA name of a time zone${hint}`;
  }
});

/** https, or http on loopback. */
export const urlSchema = textSchema(urlProblem);

function textSchema(problemOf: (text: string) => string | undefined) {
  return z.string().superRefine((text, context) => {
    const message = problemOf(text);
    if (message) context.addIssue({ code: 'custom', message });
  });
}
