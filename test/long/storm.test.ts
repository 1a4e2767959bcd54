import { expect, test } from 'vitest';
import { seedOf } from '../support/random.ts';
import { weather } from '../support/storm.ts';

const RUNS = 500;

for (const cloud of ['aws', 'gcp'] as const)
  test(`${cloud}: in ${RUNS} runs with 30 % of all requests failing nobody is harmed, and every calm ends in sync`, async () => {
    const seed = seedOf();
    console.log(`storm: ${cloud}, SEED=${seed}`);
    const { runs, faults, deaths, well, looks } = await weather({ cloud, seed, runs: RUNS, chance: 0.3 });
    console.log(
      `storm: ${cloud}, ${runs} runs, ${faults} faults, ${deaths} processes killed, ${well} runs ended well in themselves, ${looks} requests checked`,
    );
    expect(runs).toBe(RUNS);
  });
