import type { z } from 'zod';
import { at, choices, closest, knownKeys } from './suggest.ts';

/** Where in the config: keys and indexes from the top. */
export type Path = readonly PropertyKey[];

export interface Problem {
  readonly path: Path;
  /** Finishes the line `targets[0].ports: …`. Holds no value of the config but what the place that made it chose. */
  readonly problem: string;
}

/** `targets[0].allow[1].ports`, with quotes around keys that need them. */
export function formatPath(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      const key = String(step);
      if (!/^[A-Za-z0-9_$-]+$/.test(key)) return `[${JSON.stringify(key)}]`;
      return index === 0 ? key : `.${key}`;
    })
    .join('');
}

export function formatProblem({ path, problem }: Problem): string {
  return path.length === 0 ? problem : `${formatPath(path)}: ${problem}`;
}

/** What was checked, for the words of a problem. */
export interface Checked {
  readonly schema: z.ZodType;
  /** What the schema was given. */
  readonly value: unknown;
  /** Where that stands in the config. */
  readonly path: Path;
  /** Keys beside those of the schema that are allowed at its top. */
  readonly otherKeys?: readonly string[];
}

/** The issues of a failed parse in our words. Never shows a value that was given, since any may be a secret. */
export function problemsOf(issues: readonly z.core.$ZodIssue[], checked: Checked): Problem[] {
  const problems = issues.flatMap((issue) => translate(issue, checked));
  const meant = new Set(problems.flatMap((problem) => problem.meant ?? []));
  // A key that was only mistyped is not missing as well.
  return problems
    .filter(({ path, problem }) => !(problem.startsWith(REQUIRED) && meant.has(formatPath(path))))
    .map(({ path, problem }) => ({ path, problem }));
}

interface Translated extends Problem {
  /** The path that an unknown key probably stands for. */
  readonly meant?: string;
}

const REQUIRED = 'is required';

function translate(issue: z.core.$ZodIssue, checked: Checked): Translated[] {
  const path = [...checked.path, ...issue.path];
  const given = at(checked.value, issue.path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(key, issue.path, checked));
    case 'invalid_type':
      return [{ path, problem: wrong(given, kindName(issue.expected)) }];
    case 'invalid_value':
      return [{ path, problem: wrongChoice(given, issue.values) }];
    case 'invalid_union': {
      const options = 'options' in issue && Array.isArray(issue.options) ? issue.options : undefined;
      if (options) return [{ path, problem: wrongChoice(given, options) }];
      return union(issue, checked);
    }
    case 'too_small':
      return [{ path, problem: outside(issue.origin, issue.minimum, issue.inclusive, 'least') }];
    case 'too_big':
      return [{ path, problem: outside(issue.origin, issue.maximum, issue.inclusive, 'most') }];
    case 'invalid_format':
      return [{ path, problem: issue.message.replace(/^Invalid (\S+)$/, 'is no valid $1') }];
    case 'invalid_key':
      return [{ path, problem: issue.issues[0]?.message ?? 'is no valid key' }];
    default:
      return [{ path, problem: issue.message.replace(/^Invalid input$/, 'is not valid') }];
  }
}

function unknownKey(key: string, inside: Path, checked: Checked): Translated {
  const known = knownKeys(checked.schema, checked.value, inside);
  if (inside.length === 0) known.push(...(checked.otherKeys ?? []));
  // A key that stands there already cannot have been meant.
  const object = at(checked.value, inside);
  const meant = closest(
    key,
    known.filter((other) => at(object, [other]) === undefined),
  );
  const path = [...checked.path, ...inside];
  if (meant === undefined) return { path: [...path, key], problem: `unknown key${choices(known)}` };
  const problem = `unknown key; did you mean ${meant}?`;
  return { path: [...path, key], problem, meant: formatPath([...path, meant]) };
}

/** Of several alternatives, the one that the value was probably meant to be: it has the right kind at its top. */
function union(issue: z.core.$ZodIssueInvalidUnion, checked: Checked): Translated[] {
  const path = [...checked.path, ...issue.path];
  const fitting = issue.errors.find((issues) => issues.every((inner) => !isAboutKind(inner)));
  if (fitting)
    return fitting.flatMap((inner) => translate({ ...inner, path: [...issue.path, ...inner.path] }, checked));
  const given = at(checked.value, issue.path);
  const kinds = issue.errors.flat().filter((inner) => inner.path.length === 0);
  const values = kinds.flatMap((inner) => (inner.code === 'invalid_value' ? inner.values : []));
  const types = kinds.flatMap((inner) => (inner.code === 'invalid_type' ? [kindName(inner.expected)] : []));
  if (types.length === 0 && values.length > 0) return [{ path, problem: wrongChoice(given, values) }];
  return [{ path, problem: wrong(given, [...new Set([...types, ...values.map(String)])].join(' or ')) }];
}

function isAboutKind(issue: z.core.$ZodIssue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

function wrong(given: unknown, expected: string): string {
  if (given === undefined) return `${REQUIRED} (${expected || 'see the schema'})`;
  if (!expected) return 'is not valid';
  const found = kindOf(given);
  return `must be ${expected}${found === expected ? '' : `, not ${found}`}`;
}

function wrongChoice(given: unknown, values: readonly unknown[]): string {
  const known = values.map(String);
  const choice = known.length === 1 ? `${known[0]}` : `one of ${known.join(', ')}`;
  if (given === undefined) return `${REQUIRED} (${choice})`;
  const meant = typeof given === 'string' ? closest(given, known) : undefined;
  return `must be ${choice}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}

function outside(origin: string, limit: number | bigint, inclusive = true, end: 'least' | 'most'): string {
  const bound = inclusive ? `at ${end} ${limit}` : `${end === 'least' ? 'more' : 'less'} than ${limit}`;
  if (origin === 'string')
    return limit === 1 && end === 'least' ? 'must not be empty' : `must have ${bound} characters`;
  if (origin === 'array' || origin === 'set')
    return `must have ${bound} ${limit === 1 ? 'entry' : 'entries'}`;
  return `must be ${bound}`;
}

function kindName(type: string): string {
  if (type === 'int') return 'a whole number';
  if (type === 'record' || type === 'object') return 'an object';
  if (type === 'array') return 'a list';
  if (type === 'boolean') return 'true or false';
  if (type === 'null' || type === 'undefined') return 'null';
  return `a ${type}`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return kindName(Array.isArray(value) ? 'array' : typeof value);
}
