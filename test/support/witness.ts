/** What one object lets in: each key is an address and what it may reach, such as `34.19.100.1/32 tcp 5432`. */
export type Allowed = ReadonlySet<string>;

/**
 * Looks at one object after every request and holds it to the two promises: what is wanted and allowed stays
 * allowed, and what was never wanted is never allowed.
 */
export interface Witness {
  /** From now on exactly these are wanted. What is not any longer may go when `delayMs` is over; default: the usual. */
  want(keys: Iterable<string>, delayMs?: number): void;
  /** A person lets these in: not ours to judge. */
  given(keys: Iterable<string>): void;
  /** A person takes these away: their absence is no loss of ours. */
  taken(keys: Iterable<string>): void;
  look(allowed: Allowed): void;
  /** Something else that is wrong, seen by whoever else looks. */
  accuse(what: string): void;
  /** How often it looked. */
  readonly looks: number;
  /** What was wrong, one line each. */
  readonly wrongs: readonly string[];
}

export interface WitnessOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** `removalDelay` in milliseconds. */
  readonly delayMs: number;
}

export function startWitness({ now, delayMs }: WitnessOptions): Witness {
  const ever = new Set<string>();
  const byHand = new Set<string>();
  const wrongs: string[] = [];
  let wanted: ReadonlySet<string> = new Set();
  /** From when on each may go. */
  let dropped = new Map<string, number>();
  let before: Allowed = new Set();
  let looks = 0;
  return {
    want(keys, delay = delayMs) {
      const next = new Set(keys);
      for (const key of wanted) if (!next.has(key)) dropped.set(key, now() + delay);
      dropped = new Map([...dropped].filter(([key]) => !next.has(key)));
      for (const key of next) ever.add(key);
      wanted = next;
    },
    given(keys) {
      for (const key of keys) byHand.add(key);
    },
    taken(keys) {
      const gone = new Set(keys);
      before = new Set([...before].filter((key) => !gone.has(key)));
    },
    look(allowed) {
      looks += 1;
      for (const key of allowed)
        if (!ever.has(key) && !byHand.has(key))
          wrongs.push(`look ${looks}: ${key} was let in and never wanted`);
      for (const key of before) {
        if (allowed.has(key)) continue;
        const early = (dropped.get(key) ?? 0) - now();
        if (wanted.has(key)) wrongs.push(`look ${looks}: ${key} is wanted and lost access`);
        else if (early > 0) wrongs.push(`look ${looks}: ${key} went ${early} ms before its time`);
      }
      before = allowed;
    },
    accuse: (what) => void wrongs.push(`look ${looks}: ${what}`),
    get looks() {
      return looks;
    },
    wrongs,
  };
}
