import { distance } from 'fastest-levenshtein';
import { z } from 'zod';
import type { Path } from './problems.ts';

/** The candidate that was probably meant by `word`, if any is near enough to be worth saying. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 3));
  const [best] = candidates
    .map((candidate) => ({ candidate, slips: slips(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.slips - b.slips);
  return best && best.slips <= limit ? best.candidate : undefined;
}

/** What there is to choose from, when nothing was probably meant. */
export function choices(candidates: readonly string[]): string {
  return candidates.length > 0 ? `; known here: ${candidates.join(', ')}` : '';
}

/** Letters in the wrong order, and a word that was not finished, are one slip however long they are. */
function slips(typed: string, known: string): number {
  const letters = (text: string) => [...text].sort().join('');
  const unfinished = typed.length >= 3 && (known.startsWith(typed) || typed.startsWith(known));
  if (typed === known) return 0;
  return unfinished || letters(typed) === letters(known) ? 1 : distance(typed, known);
}

type Json = z.core.JSONSchema._JSONSchema;

/**
 * The keys that `schema` knows for the object at `path` of `value`. Read from its JSON schema, so that it works
 * for any provider's options; where the schema has alternatives, those that `value` rules out are left aside.
 */
export function knownKeys(schema: z.ZodType, value: unknown, path: Path): string[] {
  let nodes: Json[] = [z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })];
  let here = value;
  for (const step of path) {
    nodes = alternatives(nodes, here).flatMap((node) => child(node, step));
    here = at(here, [step]);
  }
  const objects = alternatives(nodes, here);
  return [...new Set(objects.flatMap((node) => (isObject(node) ? Object.keys(node.properties ?? {}) : [])))];
}

/** What stands at `path` of parsed JSON; undefined where it does not lead anywhere. */
export function at(value: unknown, path: Path): unknown {
  let here: unknown = value;
  for (const step of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, step)) return undefined;
    here = (here as Record<PropertyKey, unknown>)[step];
  }
  return here;
}

function child(node: Json, step: PropertyKey): Json[] {
  if (!isObject(node)) return [];
  if (typeof step === 'number') return [node.items ?? []].flat();
  const property = node.properties?.[String(step)];
  return [property ?? node.additionalProperties ?? []].flat();
}

function alternatives(nodes: readonly Json[], value: unknown): Json[] {
  return nodes.flatMap((node) => {
    if (!isObject(node)) return [];
    const inner = [...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.allOf ?? [])];
    const possible = inner.filter((branch) => !isRuledOut(branch, value));
    return [node, ...alternatives(possible.length > 0 ? possible : inner, value)];
  });
}

/** Whether a constant of the branch (`"type": "slack"`) is another one in the value. */
function isRuledOut(branch: Json, value: unknown): boolean {
  if (!isObject(branch)) return false;
  return Object.entries(branch.properties ?? {}).some(
    ([key, property]) =>
      isObject(property) && property.const !== undefined && at(value, [key]) !== property.const,
  );
}

function isObject(node: Json): node is z.core.JSONSchema.JSONSchema {
  return typeof node === 'object';
}
