import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';

/** One parser, what it is fed, and what must hold for every input. */
export interface Fuzzed<T> {
  readonly name: string;
  /** How many inputs `npm run fuzz` feeds it; `npm test` feeds it a small part of them. */
  readonly inputs: number;
  readonly arbitrary: fc.Arbitrary<T>;
  /** Throws what is wrong. */
  readonly check: Check<T> | { readonly open: () => Promise<Check<T>> };
}

type Check<T> = (input: T) => void | Promise<void>;

/** The short run takes one input of so many. */
const SHORT = 250;
const LEAST = 60;
/** Longest real time for one input, garbage collection and a busy machine included, in milliseconds. */
const LONGEST_MS = 5_000;
/** What the whole process may grow by while one parser is fed, in bytes. */
const MOST_MEMORY = 512 * 1024 * 1024;

/** `npm run fuzz` says `full`. */
const isFull = process.env.FUZZ === 'full';

/** Gives what makes each parser a test of its own, which says how many inputs it took and how fast; the sum is said at the end. */
export function fuzzer(what: string): <T>(fuzzed: Fuzzed<T>) => void {
  let [inputs, ms] = [0, 0];
  afterAll(() => {
    console.log(`fuzz: ${what} in all, ${inputs} inputs in ${Math.round(ms / 1000)} s`);
  });
  return (fuzzed) =>
    fuzz(fuzzed, (count, took) => {
      inputs += count;
      ms += took;
    });
}

function fuzz<T>(
  { name, inputs, arbitrary, check }: Fuzzed<T>,
  tell: (count: number, ms: number) => void,
): void {
  const numRuns = isFull ? inputs : Math.max(LEAST, Math.round(inputs / SHORT));
  test(
    `${name}: no input makes it crash, hang, or find what is not there`,
    async () => {
      const judge = typeof check === 'function' ? check : await check.open();
      let done = 0;
      let slowest = 0;
      const before = process.memoryUsage().rss;
      const started = performance.now();
      const timed = async (input: T) => {
        const begun = performance.now();
        const checked = judge(input);
        if (checked) await checked;
        const ms = performance.now() - begun;
        slowest = Math.max(slowest, ms);
        if (ms > LONGEST_MS) throw new Error(`one input took ${Math.round(ms)} ms`);
        done += 1;
      };
      await fc.assert(fc.asyncProperty(arbitrary, timed), { numRuns });
      const took = performance.now() - started;
      tell(done, took);
      const grown = process.memoryUsage().rss - before;
      expect(done).toBe(numRuns);
      expect(grown).toBeLessThan(MOST_MEMORY);
      console.log(
        `fuzz: ${name}, ${done} inputs, ${Math.round((done * 1000) / took)} a second, the slowest ${Math.round(slowest)} ms`,
      );
    },
    30 * 60_000,
  );
}
