import { invalidParameter } from './answers.ts';
import { parseFilter } from './filter.ts';

export interface Listing {
  readonly kind: string;
  readonly id: string;
  readonly items?: readonly object[];
  readonly nextPageToken?: string;
  readonly selfLink: string;
}

/**
 * One page of `resources`, as `filter`, `maxResults` and `pageToken` of the query ask for. Throws 400 for a bad one.
 * https://docs.cloud.google.com/compute/docs/reference/rest/v1/firewalls/list
 */
export function listingOf(
  head: { kind: string; id: string; selfLink: string },
  resources: readonly object[],
  query: URLSearchParams,
  pageSize: number,
): Listing {
  const matching = resources.filter(parseFilter(query.get('filter')));
  const size = Math.min(maxResults(query.get('maxResults')), pageSize);
  const from = offsetOf(query.get('pageToken'));
  const items = matching.slice(from, from + size);
  return {
    kind: head.kind,
    id: head.id,
    // The real service leaves `items` out of an empty listing.
    ...(items.length > 0 ? { items } : {}),
    ...(from + size < matching.length ? { nextPageToken: tokenOf(from + size) } : {}),
    selfLink: head.selfLink,
  };
}

/** "Acceptable values are 0 to 500, inclusive"; 0 leaves it to the service. */
function maxResults(text: string | null): number {
  const asked = Number(text ?? 500);
  if (!Number.isInteger(asked) || asked < 0 || asked > 500)
    throw invalidParameter('maxResults', text, 'Must be an integer from 0 to 500.');
  return asked || 500;
}

function tokenOf(offset: number): string {
  return Buffer.from(`at:${offset}`).toString('base64url');
}

function offsetOf(token: string | null): number {
  if (token === null || token === '') return 0;
  const match = /^at:(\d+)$/.exec(Buffer.from(token, 'base64url').toString());
  if (!match) throw invalidParameter('pageToken', token, 'Invalid page token.');
  return Number(match[1]);
}
