import { ApiError } from './answers.ts';

const TERM = /^\(?\s*([A-Za-z][\w.]*)\s*(=|!=|:|\s(?:eq|ne)\s)\s*(?:"([^"]*)"|'([^']*)'|(\S+?))\s*\)?$/;

/**
 * The part of the list filter that clients use: terms on one field (`=`, `!=`, `:`, and `eq`/`ne` with a regular
 * expression over the whole value), joined by AND or by standing side by side in parentheses. Throws 400 for others.
 * https://docs.cloud.google.com/compute/docs/reference/rest/v1/firewalls/list (`filter`)
 */
export function parseFilter(text: string | null): (resource: object) => boolean {
  if (!text?.trim()) return () => true;
  const terms = text.split(/\s+AND\s+|(?<=\))\s*(?=\()/).map(parseTerm);
  return (resource) => terms.every((matches) => matches(resource));
}

function parseTerm(text: string): (resource: object) => boolean {
  const match = TERM.exec(text.trim());
  if (!match)
    throw new ApiError(
      400,
      'invalid',
      `Invalid value for field 'filter': '${text}'. Invalid list filter expression.`,
    );
  const [, field = '', operator = '', ...values] = match;
  const value = values.find((candidate) => candidate !== undefined) ?? '';
  const test = tester(operator.trim(), value);
  return (resource) => test(fieldOf(resource, field));
}

function tester(operator: string, value: string): (actual: string) => boolean {
  switch (operator) {
    case '=':
      return (actual) => actual === value;
    case '!=':
      return (actual) => actual !== value;
    case ':':
      return (actual) => actual.includes(value.replaceAll('*', ''));
    default: {
      const pattern = new RegExp(`^(?:${value})$`);
      return (actual) => pattern.test(actual) === (operator === 'eq');
    }
  }
}

function fieldOf(resource: object, path: string): string {
  let at: unknown = resource;
  for (const part of path.split('.'))
    at = typeof at === 'object' && at !== null ? Reflect.get(at, part) : undefined;
  return at === undefined ? '' : String(at);
}
