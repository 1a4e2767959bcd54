import { isSecretPlace, LEAST_SECRET, looksSecret } from '../secrets.ts';
import type { Path, Problem } from './problems.ts';

export interface Interpolated {
  readonly value: unknown;
  /**
   * The environment values that are not to be shown anywhere: put in where the config keeps secrets, or from a
   * variable whose name says so. At least four characters each.
   */
  readonly secrets: readonly string[];
  /** Every environment value that was put in, if it has at least four characters. */
  readonly values: readonly string[];
  readonly problems: readonly Problem[];
}

const REFERENCE = /\$\$\{|\$\{([^}]*)\}?/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

const UNFINISHED =
  '`${` must be followed by the name of a variable and a closing brace; a literal one is written `$${`';

/**
 * Puts environment variables into the string values (never the keys) of parsed JSON or YAML: `${NAME}` becomes
 * the value of NAME, `$${` is a literal `${`. The values themselves are not looked into again. A variable that is
 * unset or empty is a problem at the place that asks for it: an empty secret is a forgotten one.
 */
export function interpolate(value: unknown, env: Readonly<Record<string, string | undefined>>): Interpolated {
  const secrets = new Set<string>();
  const values = new Set<string>();
  const problems: Problem[] = [];

  function text(input: string, path: Path): string {
    return input.replace(REFERENCE, (found: string, name: string | undefined) => {
      if (name === undefined) return '${';
      if (!found.endsWith('}') || !NAME.test(name)) {
        problems.push({ path, problem: UNFINISHED });
        return '';
      }
      const value = Object.hasOwn(env, name) ? env[name] : undefined;
      if (!value) {
        const problem = `the environment variable ${name} is ${value === '' ? 'empty' : 'not set'}`;
        problems.push({ path, problem });
        return '';
      }
      if (value.length >= LEAST_SECRET) {
        values.add(value);
        if (isSecretPlace(path) || looksSecret(name)) secrets.add(value);
      }
      return value;
    });
  }

  function walk(input: unknown, path: Path): unknown {
    if (typeof input === 'string') return text(input, path);
    if (Array.isArray(input)) return input.map((item, index) => walk(item, [...path, index]));
    if (typeof input !== 'object' || input === null) return input;
    return Object.fromEntries(Object.entries(input).map(([key, item]) => [key, walk(item, [...path, key])]));
  }

  return { value: walk(value, []), secrets: [...secrets], values: [...values], problems };
}
