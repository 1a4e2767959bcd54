import type { Fault } from '../../src/emulators/server.ts';
import { KINDS, SHORT_CALL_MS, WHENS } from './grid.ts';
import { addresses } from './pass.ts';
import { pick, type Random, seeded, some } from './random.ts';
import { startTrial, type Trial } from './trial.ts';

export interface Storm {
  readonly cloud: 'aws' | 'gcp';
  readonly seed: number;
  readonly runs: number;
  /** Of each request. */
  readonly chance: number;
}

export interface Weathered {
  runs: number;
  faults: number;
  deaths: number;
  /** Runs that ended with exit code 0 all the same. */
  well: number;
  looks: number;
}

/** Runs between two calms, in which all must come into step. */
const CALM_EVERY = 10;
const POOL = [...addresses(12), '2600:1900:4000::1/128', '2600:1900:4000::2/128'];
const FAULTS: readonly Fault[] = KINDS.flatMap((kind) => WHENS.map((when) => ({ kind, when })));

/**
 * Runs in a row in which each request fails with a chance, the list changes, time passes in leaps, the source is at
 * times unreadable and the process at times killed. The witness looks at every request, and every ten runs a calm
 * must bring all into step.
 */
export async function weather({ cloud, seed, runs, chance }: Storm): Promise<Weathered> {
  const random = seeded(seed);
  const result: Weathered = { runs: 0, faults: 0, deaths: 0, well: 0, looks: 0 };
  const trial = await startTrial({ cloud });
  await trial.publish(anyList(random));
  for (; result.runs < runs; result.runs += 1) {
    if (result.runs % CALM_EVERY === 0) await trial.settle();
    trial.place.clock.advance(pick(random, ['15m', '1h', '13h', '25h']));
    const unreadable = random() < 0.05;
    const dies = random() < 0.05;
    if (unreadable) await trial.place.publishText('<html>be right back</html>');
    // A list that is never read makes no difference: nothing comes back by it, nor begins to be missed.
    else if (random() < 0.7) await trial.publish(anyList(random, (cidr) => !dies || !waits(trial, cidr)));
    if (dies) {
      if (await trial.die(Math.floor(random() * 5), pick(random, WHENS))) result.deaths += 1;
    } else {
      const plan = () => {
        if (random() >= chance) return undefined;
        result.faults += 1;
        return pick(random, FAULTS);
      };
      const { report } = await trial.sync(plan, { callTimeoutMs: SHORT_CALL_MS });
      if (report.exitCode === 0) result.well += 1;
    }
    if (unreadable) await trial.place.publish(trial.published());
    await trial.rest();
  }
  await trial.settle();
  return { ...result, looks: trial.witness.looks };
}

/** Still there, though no longer published. */
function waits(trial: Trial, cidr: string): boolean {
  return trial.allowed().has(`${cidr} tcp 5432`) && !trial.published().includes(cidr);
}

function anyList(random: Random, may: (cidr: string) => boolean = () => true): string[] {
  const pool = POOL.filter(may);
  const list = some(random, pool, 0.6);
  return list.length > 0 ? list : [pick(random, pool)];
}
