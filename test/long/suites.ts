import { afterAll, describe, expect, test } from 'vitest';
import {
  disturbed,
  ENDLESS,
  faultAt,
  KINDS,
  killedEverywhere,
  meddled,
  newTally,
  requestsOf,
  WHENS,
} from '../support/grid.ts';
import { HANDS } from '../support/hands.ts';
import { SCENARIOS } from '../support/scenarios.ts';

const LONG_MS = 300_000;

/** Every fault and a kill at every request of every scenario of one cloud. */
export function faultSuite(cloud: 'aws' | 'gcp'): void {
  const faults = newTally();
  const kills = newTally();
  afterAll(() => {
    console.log(
      `faults: ${cloud}, ${faults.cells} disturbed syncs, ${faults.recovered} of them ended well in themselves; ` +
        `${kills.cells} killed syncs; ${faults.looks + kills.looks} requests checked`,
    );
  });
  for (const scenario of SCENARIOS.filter(({ options }) => options.cloud === cloud))
    describe(scenario.title, () => {
      for (const kind of KINDS)
        test(
          `a request that ends in ${kind} harms nobody, and the next sync mends it`,
          async () => {
            const requests = await requestsOf(scenario);
            expect(requests).toBeGreaterThan(0);
            const extents = ENDLESS.some((one) => one === kind)
              ? (['once', 'from'] as const)
              : (['once'] as const);
            for (const extent of extents)
              for (const when of WHENS)
                for (let at = 0; at < requests; at += 1)
                  await disturbed(scenario, faultAt(at, { kind, when }, extent), faults);
          },
          LONG_MS,
        );
      test(
        'a process that is killed at any request or any write to its state harms nobody, and the next sync mends it',
        () => killedEverywhere(scenario, kills),
        LONG_MS,
      );
    });
}

/** Every edit of a person just before every request of every scenario of one cloud. */
export function handSuite(cloud: 'aws' | 'gcp'): void {
  const tally = newTally();
  afterAll(() => {
    console.log(
      `hands: ${cloud}, ${tally.cells} edits between two requests, ${tally.looks} requests checked`,
    );
  });
  for (const scenario of SCENARIOS.filter(({ options }) => options.cloud === cloud))
    describe(scenario.title, () => {
      for (const hand of HANDS.filter((one) => one.cloud === cloud))
        test(
          `a person ${hand.title} before any request: nobody is harmed, and nothing of theirs is touched`,
          async () => {
            const requests = await requestsOf(scenario);
            for (let at = 0; at < requests; at += 1) await meddled(scenario, hand, at, tally);
          },
          LONG_MS,
        );
    });
}
