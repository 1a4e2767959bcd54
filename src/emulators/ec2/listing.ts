import { missing, type Query } from './query.ts';
import { invalidValue, Rejection } from './rejection.ts';

/** How the values of one filter are found in a thing. */
export type Filters<T> = { readonly [name: string]: (thing: T) => string };

/**
 * The things that pass every `Filter.N`; the values of one filter are alternatives, `*` and `?` are wildcards.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Filter.html; a filter that the action does not know is
 * refused: https://github.com/kubernetes/kops/pull/17500.
 */
export function filtered<T>(query: Query, things: readonly T[], filters: Filters<T>): T[] {
  const tests = query.items('Filter').map((item) => {
    const name = item.required('Name');
    const patterns = item.list('Value').map(wildcard);
    const read = Object.hasOwn(filters, name) ? filters[name] : undefined;
    if (!read) throw invalidValue(`The filter '${name}' is invalid`);
    if (patterns.length === 0) throw missing('Filter.Value');
    return (thing: T) => patterns.some((pattern) => pattern.test(read(thing)));
  });
  return things.filter((thing) => tests.every((test) => test(thing)));
}

/** The values that `Filter.N` asks for under this name. */
export function filterValues(query: Query, name: string): string[] {
  return query.items('Filter').flatMap((item) => (item.text('Name') === name ? item.list('Value') : []));
}

/**
 * One page in the order of the ids, and the token of the next one. A token names the last id that was given, so that
 * nothing is skipped or repeated when something goes in between.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroupRules.html
 */
export function page<T extends { id: string }>(
  query: Query,
  things: readonly T[],
  pageSize: number,
): { items: T[]; nextToken: string | undefined } {
  const maxResults = query.integer('MaxResults');
  // Recorded: https://github.com/aws/aws-sdk-ruby/pull/2575
  if (maxResults !== undefined && (maxResults < 5 || maxResults > 1000)) {
    const limit = maxResults < 5 ? 'greater than 5' : 'less than 1000';
    throw invalidValue(
      `Value ( ${maxResults} ) for parameter maxResults is invalid. Expecting a value ${limit}.`,
    );
  }
  const token = query.text('NextToken');
  const after = token === undefined ? '' : readToken(token);
  const rest = [...things].sort((a, b) => (a.id < b.id ? -1 : 1)).filter(({ id }) => id > after);
  const items = rest.slice(0, Math.min(pageSize, maxResults ?? pageSize));
  const last = items.at(-1);
  return { items, nextToken: last && items.length < rest.length ? writeToken(last.id) : undefined };
}

function wildcard(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's');
}

function writeToken(id: string): string {
  return Buffer.from(`after ${id}`).toString('base64url');
}

function readToken(token: string): string {
  const match = /^after (sgr?-[0-9a-f]+)$/.exec(Buffer.from(token, 'base64url').toString());
  if (match?.[1]) return match[1];
  throw new Rejection('InvalidPaginationToken', 'The specified pagination token is not valid.');
}
