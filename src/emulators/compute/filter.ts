import { invalidParameter } from './answers.ts';

/** `name = "x"`, `(name eq ".*x.*")`, `network : default`, with what joins it to the term before. */
const TERM =
  /\s*(?:AND\b\s*)?(\()?\s*([A-Za-z][\w.]*)\s*(=|!=|:|(?:eq|ne)\b)\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s()"']+)\s*(\))?/y;

/**
 * The part of the list filter that clients use: terms on one field (`=`, `!=`, `:`, and `eq`/`ne` with a regular
 * expression over the whole value), joined by AND, or in parentheses side by side; a list matches when one of its
 * items does. Throws 400 for all else.
 * https://docs.cloud.google.com/compute/docs/reference/rest/v1/firewalls/list (`filter`); what gcloud makes of its
 * own `--filter` is seen with `--log-http`.
 */
export function parseFilter(text: string | null): (resource: object) => boolean {
  const terms: ((resource: object) => boolean)[] = [];
  const scan = new RegExp(TERM);
  while (text && scan.lastIndex < text.trimEnd().length) {
    const match = scan.exec(text);
    const [, open, field = '', operator = '', value = '', close] = match ?? [];
    if (!match || Boolean(open) !== Boolean(close))
      throw invalidParameter('filter', text, 'Invalid list filter expression.');
    const test = tester(operator, value.replace(/^(["'])(.*)\1$/s, '$2'), text);
    terms.push((resource) => test(valuesOf(resource, field)));
  }
  return (resource) => terms.every((matches) => matches(resource));
}

function tester(operator: string, value: string, text: string): (actual: readonly string[]) => boolean {
  switch (operator) {
    case '=':
      return (actual) => actual.includes(value);
    case '!=':
      return (actual) => !actual.includes(value);
    case ':':
      return (actual) => actual.some((one) => one.includes(value.replaceAll('*', '')));
    default: {
      const pattern = wholePattern(value, text);
      return (actual) => actual.some((one) => pattern.test(one)) === (operator === 'eq');
    }
  }
}

function wholePattern(value: string, text: string): RegExp {
  try {
    return new RegExp(`^(?:${value})$`);
  } catch {
    throw invalidParameter('filter', text, 'Invalid list filter expression.');
  }
}

function valuesOf(resource: object, path: string): string[] {
  let at: unknown = resource;
  for (const part of path.split('.'))
    at = typeof at === 'object' && at !== null ? Reflect.get(at, part) : undefined;
  return at === undefined ? [''] : [at].flat().map(String);
}
