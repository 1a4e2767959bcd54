/** Randomness that a seed repeats: from 0 (included) to 1 (excluded). Mulberry32, public domain. */
export type Random = () => number;

export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One of `items`. Throws `RangeError` when there is none. */
export function pick<T>(random: Random, items: readonly T[]): T {
  const [found] = items.slice(Math.floor(random() * items.length));
  if (found === undefined) throw new RangeError('nothing to pick from');
  return found;
}

/** Each item with this chance. */
export function some<T>(random: Random, items: readonly T[], chance: number): T[] {
  return items.filter(() => random() < chance);
}

/** The seed of a run: `SEED` of the environment, else a new one. Printed, so that a failure can be had again. */
export function seedOf(env: Readonly<Record<string, string | undefined>> = process.env): number {
  return env.SEED ? Number(env.SEED) : Date.now() % 2 ** 31;
}
