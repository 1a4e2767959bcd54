import { type Cidr, sortCidrs } from '../cidr.ts';
import { type ErrorInfo, hintFor } from '../errors.ts';
import type { SourceReading } from './read.ts';

/** How one source differs from the others that answered. */
interface Difference {
  readonly source: SourceReading['type'];
  readonly url: string;
  /** What it lists and not every other one does. */
  readonly only: readonly Cidr[];
  /** What some other one lists and it does not. */
  readonly missing: readonly Cidr[];
  /** Its own signs of age. */
  readonly etag: string | null;
  readonly lastModified: string | null;
}

export type Agreement =
  /** `complete`: every configured source answered, so that removals may be believed too. */
  | { readonly kind: 'agreed'; readonly cidrs: readonly Cidr[]; readonly complete: boolean }
  | { readonly kind: 'disagreement'; readonly differences: readonly Difference[]; readonly error: ErrorInfo }
  | { readonly kind: 'none'; readonly error: ErrorInfo };

/**
 * What the sources say together. Only a source that gave a list has answered; all that answered must have the same
 * list, and at least `minSources` must have answered. An empty page is no answer: it is never believed.
 */
export function agree(readings: readonly SourceReading[], options: { minSources: number }): Agreement {
  const answers = readings.filter(({ status }) => status === 'ok');
  const [first] = answers;
  const least = Math.max(1, options.minSources);
  if (!first || answers.length < least)
    return { kind: 'none', error: missingError(readings, answers, least) };
  const differences = differencesOf(answers);
  if (differences.length > 0)
    return { kind: 'disagreement', differences, error: disagreementError(differences) };
  return { kind: 'agreed', cidrs: sortCidrs(first.cidrs), complete: answers.length === readings.length };
}

function differencesOf(answers: readonly SourceReading[]): Difference[] {
  const sets = answers.map(({ cidrs }) => new Set(cidrs));
  const all = sortCidrs(answers.flatMap(({ cidrs }) => cidrs));
  const common = new Set(all.filter((cidr) => sets.every((set) => set.has(cidr))));
  if (common.size === all.length) return [];
  return answers.map(({ type, url, cidrs, evidence }) => ({
    source: type,
    url,
    only: sortCidrs(cidrs.filter((cidr) => !common.has(cidr))),
    missing: all.filter((cidr) => !cidrs.includes(cidr)),
    etag: evidence.etag,
    lastModified: evidence.lastModified,
  }));
}

function disagreementError(differences: readonly Difference[]): ErrorInfo {
  const parts = differences.map(({ source, only, missing, lastModified }) => {
    const age = lastModified ? `, last modified ${lastModified}` : '';
    const one = only.length > 0 ? `lists ${few(only)}, which not all do` : 'lists nothing of its own';
    return `${source} ${one}${missing.length > 0 ? `, lacks ${few(missing)}` : ''}${age}`;
  });
  return {
    code: 'sources-disagree',
    message: `${differences.length} sources disagree: ${parts.join('; ')}`,
    hint: hintFor('sources-disagree'),
  };
}

function missingError(
  readings: readonly SourceReading[],
  answers: readonly SourceReading[],
  least: number,
): ErrorInfo {
  const failures = readings.flatMap(({ error }) => (error ? [error] : []));
  const [first] = failures;
  const count = `${answers.length} of ${readings.length} sources answered`;
  if (!first)
    return {
      code: 'no-list',
      message: `${count}, ${least} must (safety.minSources)`,
      hint: hintFor('no-list'),
    };
  if (failures.length === 1 && answers.length === 0) return first;
  const needed = least > 1 ? `, ${least} must (safety.minSources)` : '';
  return { ...first, message: `${count}${needed}: ${failures.map(({ message }) => message).join('; ')}` };
}

function few(cidrs: readonly Cidr[]): string {
  const shown = cidrs.slice(0, 5).join(', ');
  return cidrs.length > 5 ? `${shown} and ${cidrs.length - 5} more` : shown;
}
