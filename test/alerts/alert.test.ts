import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type AlertMemory,
  afterDelivery,
  alertMemorySchema,
  decideAlerts,
  outcomes,
} from '../../src/alerts/alert.ts';
import type { Alert, Condition } from '../../src/alerts/types.ts';

const HOUR = 3_600_000;

function failed(target: string, fingerprint = 'denied'): Condition {
  return {
    key: `target.failed:${target}`,
    type: 'target.failed',
    severity: 'error',
    title: `${target} failed`,
    lines: ['no permission'],
    action: 'Grant it.',
    fingerprint,
    lasting: true,
  };
}

function applied(target: string, fingerprint = 'p1'): Condition {
  return {
    ...failed(target, fingerprint),
    key: `target.applied:${target}`,
    type: 'target.applied',
    lasting: false,
  };
}

interface Step {
  conditions?: readonly Condition[];
  observed?: (key: string) => boolean;
  /** Channels that take nothing in this run. */
  down?: readonly string[];
  at: number;
}

/** Runs one after the other; gives what each channel took, run by run. */
function play(steps: readonly Step[], channels: readonly string[] = ['ops'], repeatAfterMs = 24 * HOUR) {
  let memory: AlertMemory = {};
  return steps.map(({ conditions = [], observed = () => true, down = [], at }) => {
    const situation = { conditions, observed, memory, channels, now: at, repeatAfterMs };
    const due = decideAlerts(situation);
    const results = new Map(due.map(({ channel }) => [channel, !down.includes(channel)]));
    memory = alertMemorySchema.parse(JSON.parse(JSON.stringify(afterDelivery(situation, due, results))));
    const taken = (channel: string): readonly Alert[] =>
      results.get(channel) ? (due.find((one) => one.channel === channel)?.alerts ?? []) : [];
    return { due, results, taken };
  });
}

/** Reason and key of each alert that the channel took, run by run. */
function story(played: ReturnType<typeof play>, channel = 'ops'): string[][] {
  return played.map(({ taken }) => taken(channel).map(({ reason, key }) => `${reason} ${key}`));
}

test('a lasting condition is told when it begins, and once when it is over', () => {
  const played = play([
    { at: 0, conditions: [failed('db')] },
    { at: HOUR, conditions: [failed('db')] },
    { at: 2 * HOUR },
    { at: 3 * HOUR },
  ]);
  expect(story(played)).toEqual([['began target.failed:db'], [], ['recovered target.failed:db'], []]);
  expect(played[2]?.taken('ops')[0]).toMatchObject({
    type: 'recovered',
    of: 'target.failed',
    title: 'Recovered: db failed',
    lines: ['It lasted from 1970-01-01T00:00:00.000Z to 1970-01-01T02:00:00.000Z.'],
  });
});

test('it is told again when it changes, and when it has lasted long enough', () => {
  const played = play([
    { at: 0, conditions: [failed('db')] },
    { at: HOUR, conditions: [failed('db', 'missing')] },
    { at: 25 * HOUR - 1, conditions: [failed('db', 'missing')] },
    { at: 25 * HOUR, conditions: [failed('db', 'missing')] },
    { at: 26 * HOUR, conditions: [failed('db', 'missing')] },
  ]);
  const key = 'target.failed:db';
  expect(story(played)).toEqual([[`began ${key}`], [`changed ${key}`], [], [`repeated ${key}`], []]);
});

test('an event is told once', () => {
  const played = play([{ at: 0, conditions: [applied('db')] }, { at: 1 }]);
  expect(story(played)).toEqual([['event target.applied:db'], []]);
});

test('what could not be delivered is tried at the next run, under the same id, on that channel alone', () => {
  const steps = [
    { at: 0, conditions: [applied('db')], down: ['b'] },
    { at: HOUR, down: ['b'] },
    { at: 2 * HOUR },
  ];
  const played = play(steps, ['a', 'b']);
  expect(story(played, 'a')).toEqual([['event target.applied:db'], [], []]);
  expect(story(played, 'b')).toEqual([[], [], ['event target.applied:db']]);
  const ids = played.flatMap(({ due }) =>
    due.filter(({ channel }) => channel === 'b').map((one) => one.alerts[0]?.id),
  );
  expect(new Set(ids).size).toBe(1);
});

test('a beginning that could not be delivered keeps its time and id while it lasts', () => {
  const played = play([
    { at: 0, conditions: [failed('db')], down: ['ops'] },
    { at: HOUR, conditions: [failed('db')] },
  ]);
  expect(story(played)).toEqual([[], ['began target.failed:db']]);
  expect(played[1]?.taken('ops')[0]).toMatchObject({
    since: 0,
    at: HOUR,
    id: played[0]?.due[0]?.alerts[0]?.id,
  });
});

test('what was over before its beginning could be delivered is told as such, without a recovery', () => {
  const played = play([
    { at: 0, conditions: [failed('db')], down: ['ops'] },
    { at: HOUR, down: ['ops'] },
    { at: 2 * HOUR },
    { at: 3 * HOUR },
  ]);
  expect(story(played)).toEqual([[], [], ['ended target.failed:db'], []]);
  expect(played[2]?.taken('ops')[0]?.lines.at(-1)).toContain('1970-01-01T01:00:00.000Z');
});

test('a recovery that could not be delivered is dropped when the condition is back, and told when it is not', () => {
  const back = play([
    { at: 0, conditions: [failed('db')] },
    { at: 1, down: ['ops'] },
    { at: 2, conditions: [failed('db')] },
  ]);
  expect(story(back)).toEqual([['began target.failed:db'], [], []]);
  const over = play([{ at: 0, conditions: [failed('db')] }, { at: 1, down: ['ops'] }, { at: 2 }, { at: 3 }]);
  expect(story(over)).toEqual([['began target.failed:db'], [], ['recovered target.failed:db'], []]);
});

test('a run that did not look says nothing of it, neither over nor new', () => {
  const onlyOther = (key: string) => key === 'target.failed:other';
  const played = play([
    { at: 0, conditions: [failed('db')] },
    { at: 1, observed: onlyOther },
    { at: 2, conditions: [failed('db')] },
    { at: 3 },
  ]);
  expect(story(played)).toEqual([['began target.failed:db'], [], [], ['recovered target.failed:db']]);
});

test('a channel that is new is told what lasts, and one that is gone is forgotten', () => {
  const conditions = [failed('db')];
  const situation = {
    conditions,
    observed: () => true,
    memory: {},
    channels: ['a'],
    now: 0,
    repeatAfterMs: HOUR,
  };
  const memory = afterDelivery(situation, decideAlerts(situation), new Map([['a', true]]));
  const next = { ...situation, memory, channels: ['b'] };
  expect(decideAlerts(next).map(({ channel }) => channel)).toEqual(['b']);
  expect(Object.keys(afterDelivery(next, decideAlerts(next), new Map([['b', true]])))).toEqual(['b']);
});

test('a clock that was wrong silences nothing for longer than one interval', () => {
  const conditions = [failed('db')];
  const played = play([
    { at: 1000 * HOUR, conditions },
    { at: 0, conditions },
    { at: 24 * HOUR, conditions },
  ]);
  expect(story(played).map((one) => one.length)).toEqual([1, 0, 1]);
});

test('the worst comes first, and the report says each alert once', () => {
  const warning: Condition = { ...failed('a'), severity: 'warning' };
  const steps = [{ at: 0, conditions: [warning, failed('b')], down: ['y'] }];
  const [first] = play(steps, ['x', 'y']);
  expect(first?.due[0]?.alerts.map(({ severity }) => severity)).toEqual(['error', 'warning']);
  expect(outcomes(first?.due ?? [], first?.results ?? new Map())).toEqual([
    { type: 'target.failed', severity: 'error', delivered: false },
    { type: 'target.failed', severity: 'warning', delivered: false },
  ]);
});

// Histories of two conditions and events on two channels that fail now and then.
interface Run {
  readonly fingerprints: Readonly<Record<string, string | null>>;
  readonly event: boolean;
  readonly down: readonly string[];
  readonly pause: number;
}

const run: fc.Arbitrary<Run> = fc.record({
  fingerprints: fc.record({ a: fc.constantFrom(null, '1', '2'), b: fc.constantFrom(null, '1') }),
  event: fc.boolean(),
  down: fc.subarray(['x', 'y']),
  pause: fc.integer({ min: 1, max: 5 * HOUR }),
});

function stepsOf(runs: readonly Run[]): Step[] {
  let at = 0;
  return runs.map(({ fingerprints, event, down, pause }, index) => {
    at += pause;
    const lasting = Object.entries(fingerprints).flatMap(([name, print]) =>
      print ? [failed(name, print)] : [],
    );
    return { at, down, conditions: [...lasting, ...(event ? [applied('db', `p${index}`)] : [])] };
  });
}

/** The same history with a last run in which nothing is wrong and all channels work. */
const history = fc.array(run, { minLength: 1, maxLength: 30 }).map((runs) => {
  const steps = stepsOf(runs);
  return [...steps, { at: (steps.at(-1)?.at ?? 0) + 1, down: [], conditions: [] }];
});

function property(check: (steps: Step[], played: ReturnType<typeof play>, channel: string) => void): void {
  fc.assert(
    fc.property(history, (steps) => {
      const played = play(steps, ['x', 'y'], 6 * HOUR);
      for (const channel of ['x', 'y']) check(steps, played, channel);
    }),
    { numRuns: 300 },
  );
}

test('an unchanged condition is never told twice within the interval', () => {
  property((steps, played, channel) => {
    const last = new Map<string, { fingerprint: string; at: number }>();
    played.forEach(({ taken }, index) => {
      const now = steps[index]?.at ?? 0;
      for (const { key, fingerprint, reason } of taken(channel)) {
        if (reason === 'recovered' || reason === 'ended') last.delete(key);
        else if (reason !== 'event') {
          const before = last.get(key);
          if (before?.fingerprint === fingerprint) expect(now - before.at).toBeGreaterThanOrEqual(6 * HOUR);
          last.set(key, { fingerprint, at: now });
        }
      }
    });
  });
});

test('every beginning that was told has exactly one recovery, and there is no recovery without one', () => {
  property((_, played, channel) => {
    const open = new Set<string>();
    for (const { taken } of played) {
      for (const { key, reason } of taken(channel)) {
        if (reason === 'began') {
          expect(open.has(key)).toBe(false);
          open.add(key);
        }
        if (reason === 'recovered') expect(open.delete(key)).toBe(true);
        if (reason === 'changed' || reason === 'repeated') expect(open.has(key)).toBe(true);
      }
    }
    expect([...open]).toEqual([]);
  });
});

test('a channel that fails gets every event exactly once, and word of every condition that was there', () => {
  property((steps, played, channel) => {
    const all = played.flatMap(({ taken }) => taken(channel));
    const events = steps.flatMap(({ conditions = [] }) => conditions.filter(({ lasting }) => !lasting));
    const told = all.filter(({ type }) => type === 'target.applied').map(({ fingerprint }) => fingerprint);
    expect(told).toEqual(events.map(({ fingerprint }) => fingerprint));
    const seen = new Set(steps.flatMap(({ conditions = [] }) => conditions.map(({ key }) => key)));
    expect(new Set(all.map(({ key }) => key))).toEqual(seen);
  });
});

test('what one channel gets does not depend on the other', () => {
  property((steps, played, channel) => {
    expect(story(play(steps, [channel], 6 * HOUR), channel)).toEqual(story(played, channel));
  });
});

test('a channel that has failed for long keeps the newest alerts only', () => {
  const steps = Array.from({ length: 300 }, (_, at) => ({
    at,
    conditions: [applied('db', `p${at}`)],
    down: ['ops'],
  }));
  const played = play([...steps, { at: 300, conditions: [], down: [] }]);
  const taken = played.at(-1)?.taken('ops') ?? [];
  expect([taken.length, taken[0]?.fingerprint, taken.at(-1)?.fingerprint]).toEqual([200, 'p100', 'p299']);
});
