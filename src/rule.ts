import type { Cidr } from './cidr.ts';
import { advanceClocks, type RemovalClocks } from './clocks.ts';
import type { Target } from './config.ts';
import type { Limits, Ranges } from './guards/list.ts';
import type { GuardName } from './guards/names.ts';
import { type Ruling, ruleOnList } from './guards/ruling.ts';
import type { Pass } from './pass.ts';
import type { Agreement } from './sources/agree.ts';
import type { State } from './state/state.ts';

interface Evidence {
  readonly agreement: Agreement;
  readonly state: State;
  readonly owned: readonly Cidr[];
  readonly ranges: Ranges;
}

interface Rules {
  readonly safety: Limits;
  readonly targets: readonly Pick<Target, 'guardsOff'>[];
}

/** The rulings on the published list: the one for all, and for each set of guards that are off the one without them. */
export interface Rulings {
  readonly strict: Ruling;
  /** What only targets with these guards off accept, by {@link offKey}. */
  readonly relaxed: ReadonlyMap<string, Ruling>;
  readonly rulingFor: (off: ReadonlySet<GuardName>) => Ruling;
}

/**
 * Rules once for all targets, and once more for each set of guards that some target has switched off: what such a
 * target accepts is in force there alone, is its own baseline, and is dropped once all accept a list again.
 */
export function ruleForAll(
  { config, approvals }: { config: Rules; approvals: Pass['approvals'] },
  { agreement, state, owned, ranges }: Evidence,
): Rulings {
  const { accepted, recent } = state;
  const common = { agreement, accepted, recent, owned, ranges, limits: config.safety, approvals };
  const strict = ruleOnList(common);
  const relaxed = new Map<string, Ruling>();
  for (const { guardsOff: off } of config.targets) {
    if (off.size === 0 || strict.verdict === 'accepted') continue;
    const own = state.relaxed[offKey(off)] ?? accepted;
    relaxed.set(offKey(off), ruleOnList({ ...common, accepted: own, off }));
  }
  return { strict, relaxed, rulingFor: (off) => relaxed.get(offKey(off)) ?? strict };
}

function offKey(off: ReadonlySet<GuardName>): string {
  return [...off].sort().join(' ');
}

/** The removal clocks after these rulings: only a list that every source agrees on and that passed moves them. */
export function turnClocks(
  state: State,
  { strict, relaxed }: Rulings,
  owned: readonly Cidr[],
  now: number,
): RemovalClocks {
  const clocks = new Map(state.clocks.map(({ cidr, ...clock }) => [cidr, clock]));
  const ruling = [strict, ...relaxed.values()].find(({ fresh }) => fresh);
  if (!ruling?.candidate) return clocks;
  // Without a list to remember, what targets hold as ours is what was published.
  const known = { listed: state.accepted?.cidrs ?? owned, held: owned };
  return advanceClocks(clocks, { cidrs: ruling.candidate, approved: ruling.approved }, known, now);
}
