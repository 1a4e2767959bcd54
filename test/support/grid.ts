import { expect } from 'vitest';
import type { Fault } from '../../src/emulators/server.ts';
import { type Hand, ownThings } from './hands.ts';
import { begin, type Scenario } from './scenarios.ts';
import type { Plan } from './trial.ts';

export const KINDS = ['hang', 'reset', 'server-error', 'unavailable', 'throttle', 'garbage'] as const;
/** Kinds that are also tried without end: a connection, a refusal and an answer that never come right. */
export const ENDLESS = ['reset', 'throttle', 'garbage'] as const;
export const WHENS = ['before', 'after'] as const;

/** Real milliseconds that a request may take: what hangs is given up after them. */
export const SHORT_CALL_MS = 60;

/** What a grid counted. */
export interface Tally {
  cells: number;
  /** Looks of the witness: one a request, and one at the end of each cell. */
  looks: number;
  /** Disturbed syncs that ended well all the same, since the request was tried again. */
  recovered: number;
}

export function newTally(): Tally {
  return { cells: 0, looks: 0, recovered: 0 };
}

/** How many requests the sync of a scenario makes when nothing happens to it. */
export async function requestsOf(scenario: Scenario): Promise<number> {
  const trial = await begin(scenario);
  const { requests } = await trial.sync();
  await trial.settle();
  return requests;
}

/** One sync of the scenario disturbed by `plan`, then quiet ones: nobody is harmed, and all ends in sync. */
export async function disturbed(scenario: Scenario, plan: Plan, tally: Tally): Promise<void> {
  const trial = await begin(scenario);
  const { report } = await trial.sync(plan, { callTimeoutMs: SHORT_CALL_MS });
  await trial.settle();
  tally.cells += 1;
  tally.looks += trial.witness.looks;
  if (report.exitCode === 0) tally.recovered += 1;
}

/** `once`: one request fails. `from`: that one and all after it. */
export function faultAt(at: number, fault: Fault, extent: 'once' | 'from'): Plan {
  return (nth) => (nth === at || (extent === 'from' && nth > at) ? fault : undefined);
}

/** Kills the sync at every request and at every write to the state; what follows is quiet, and ends in sync. */
export async function killedEverywhere(scenario: Scenario, tally: Tally): Promise<void> {
  const attempts = [
    ...WHENS.map(
      (when) => (at: number) => async (trial: Awaited<ReturnType<typeof begin>>) => trial.die(at, when),
    ),
    (at: number) => async (trial: Awaited<ReturnType<typeof begin>>) => trial.dieWriting(at),
  ];
  for (const attempt of attempts) {
    for (let at = 0, died = true; died; at += 1) {
      const trial = await begin(scenario);
      died = await attempt(at)(trial);
      await trial.settle();
      tally.cells += 1;
      tally.looks += trial.witness.looks;
    }
  }
}

/** A person acts just before request `at` of the scenario's sync; false when there was nothing to act on. */
export async function meddled(scenario: Scenario, hand: Hand, at: number, tally: Tally): Promise<boolean> {
  const trial = await begin(scenario);
  let acted = false;
  let own: string[] = [];
  await trial.sync((nth, request) => {
    if (nth !== at) return undefined;
    try {
      acted = hand.act(trial, request);
    } catch {
      // The service refuses it to people too: a group that is full, an entry that is there already.
    }
    own = ownThings(trial);
    return undefined;
  });
  if (!acted) return false;
  await trial.settle();
  expect(ownThings(trial)).toEqual(own);
  tally.cells += 1;
  tally.looks += trial.witness.looks;
  return true;
}
