/** Short versions of what `npm run test:long` does at length. */
import { describe, expect, test, vi } from 'vitest';
import { disturbed, faultAt, killedEverywhere, meddled, newTally, requestsOf } from './support/grid.ts';
import { HANDS } from './support/hands.ts';
import { seedOf } from './support/random.ts';
import { SHORT } from './support/scenarios.ts';
import { weather } from './support/storm.ts';

// Whole passes by the dozen: seconds, or a minute where others use the machine too.
vi.setConfig({ testTimeout: 120_000 });

for (const scenario of SHORT)
  describe(scenario.title, () => {
    const { cloud } = scenario.options;

    test('a request whose answer is lost after it took effect is got over by the same sync', async () => {
      const tally = newTally();
      const requests = await requestsOf(scenario);
      for (let at = 0; at < requests; at += 1)
        await disturbed(scenario, faultAt(at, { kind: 'reset', when: 'after' }, 'once'), tally);
      expect(tally).toMatchObject({ cells: requests, recovered: requests });
    });

    test('a service that fails from some request on is left as it is, and the next sync ends the work', async () => {
      const tally = newTally();
      const requests = await requestsOf(scenario);
      for (let at = 0; at < requests; at += 1)
        await disturbed(scenario, faultAt(at, { kind: 'server-error', when: 'after' }, 'from'), tally);
      expect(tally).toMatchObject({ cells: requests, recovered: 0 });
    });

    test('a process that is killed at any request or any write to its state harms nobody', async () => {
      const tally = newTally();
      await killedEverywhere(scenario, tally);
      expect(tally.cells).toBeGreaterThan(9);
    });

    test('whatever a person does between read and write, nobody is harmed, and nothing of theirs is touched', async () => {
      const tally = newTally();
      for (const hand of HANDS.filter((one) => one.cloud === cloud)) await meddled(scenario, hand, 1, tally);
      expect(tally.cells).toBeGreaterThan(5);
    });

    test('in a storm of faults nobody is harmed, and every calm ends in sync', async () => {
      const seed = seedOf();
      console.log(`storm: ${cloud}, SEED=${seed}`);
      expect(await weather({ cloud, seed, runs: 20, chance: 0.4 })).toMatchObject({ runs: 20 });
    });
  });
