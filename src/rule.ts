import type { Cidr } from './cidr.ts';
import { advanceClocks, type RemovalClocks } from './clocks.ts';
import type { Ranges } from './guards/list.ts';
import type { GuardName } from './guards/names.ts';
import { type Ruling, relax, ruleOnList } from './guards/ruling.ts';
import type { Pass } from './pass.ts';
import type { Agreement } from './sources/agree.ts';
import type { State } from './state/state.ts';

interface Evidence {
  readonly agreement: Agreement;
  readonly state: State;
  readonly owned: readonly Cidr[];
  readonly ranges: Ranges;
}

/** The ruling on the published list for a set of guards that are off: most targets have none off, and share one. */
export function ruleForAll(
  { config, approvals }: Pick<Pass, 'config' | 'approvals'>,
  { agreement, state, owned, ranges }: Evidence,
): (off: ReadonlySet<GuardName>) => Ruling {
  const { accepted, recent } = state;
  const common = { agreement, accepted, recent, owned, ranges, limits: config.safety, approvals };
  const strict = ruleOnList(common);
  return (off) => (off.size === 0 ? strict : relax(strict, ruleOnList({ ...common, off })));
}

/** The removal clocks after this ruling: only a list that every source agrees on and that passed moves them. */
export function turnClocks(state: State, ruling: Ruling, owned: readonly Cidr[], now: number): RemovalClocks {
  const clocks = new Map(state.clocks.map(({ cidr, ...clock }) => [cidr, clock]));
  if (!ruling.fresh || !ruling.candidate) return clocks;
  const known = [...(state.accepted?.cidrs ?? []), ...owned];
  return advanceClocks(clocks, { cidrs: ruling.candidate, approved: ruling.approved }, known, now);
}
