import { describe, expect, test } from 'vitest';
import type { Cidr } from '../../src/cidr.ts';
import type { Limits } from '../../src/guards/list.ts';
import type { GuardName } from '../../src/guards/names.ts';
import { candidateOf, listIdOf, type RulingInput, ruleOnList } from '../../src/guards/ruling.ts';
import { ruleForAll, turnClocks } from '../../src/rule.ts';
import type { Agreement } from '../../src/sources/agree.ts';
import { EMPTY_STATE } from '../../src/state/remember.ts';
import type { State } from '../../src/state/state.ts';
import { address, HOUR, NOW } from '../support/plans.ts';

const range = (from: number, to: number): Cidr[] =>
  Array.from({ length: to - from + 1 }, (_, n) => address(from + n));
const LIMITS: Limits = {
  minEntries: 1,
  maxEntries: 20,
  minPrefixLength: { ipv4: 24, ipv6: 48 },
  maxGrowth: { count: 10, percent: 50 },
  maxShrink: { count: 5, percent: 30 },
  provenance: {
    mode: 'off',
    url: '',
    scopes: [],
    sources: [],
    maxAge: 0,
    whenUnavailable: 'warn',
    maxVouched: 0,
  },
};
const agreed = (cidrs: readonly Cidr[], complete = true): Agreement => ({ kind: 'agreed', cidrs, complete });
const accepted = (cidrs: Cidr[]): NonNullable<State['accepted']> => ({
  listId: listIdOf(cidrs),
  cidrs,
  at: NOW - HOUR,
  approved: false,
});
const SILENT: Agreement = { kind: 'none', error: { code: 'source-unreachable', message: '', hint: '' } };

function rule(cidrs: readonly Cidr[] | Agreement, before: Cidr[] | null, more: Partial<RulingInput> = {}) {
  return ruleOnList({
    agreement: 'kind' in cidrs ? cidrs : agreed(cidrs),
    accepted: before && accepted(before),
    recent: before ? [{ at: NOW - HOUR, cidrs: before }] : [],
    owned: [],
    ranges: { kind: 'not-asked' },
    limits: LIMITS,
    approvals: new Set(),
    ...more,
  });
}

describe('the ruling on a list', () => {
  test('accepts what passes: it is in force, and fresh when every source agreed on it', () => {
    expect(rule(range(1, 5), range(1, 4))).toMatchObject({
      verdict: 'accepted',
      inForce: range(1, 5),
      fresh: true,
      complete: true,
      approved: false,
      added: [address(5)],
      removed: [],
    });
  });

  test('holds what a guard holds: the last one stays in force, and the id is the candidate’s', () => {
    expect(rule(range(1, 8), range(1, 4))).toMatchObject({
      verdict: 'held',
      inForce: range(1, 4),
      fresh: false,
      complete: true,
      listId: listIdOf(range(1, 8)),
    });
  });

  test('releases a held list by its id and by no other', () => {
    const by = (...ids: string[]) => rule(range(1, 8), range(1, 4), { approvals: new Set(ids) });
    expect(by(listIdOf(range(1, 8)))).toMatchObject({ verdict: 'accepted', approved: true, fresh: true });
    expect(by(listIdOf(range(1, 7)))).toMatchObject({ verdict: 'held', approved: false });
  });

  test('refuses what a guard refuses, approved or not', () => {
    const approvals = new Set([listIdOf(range(1, 21))]);
    expect(rule(range(1, 21), range(1, 20), { approvals })).toMatchObject({
      verdict: 'refused',
      approved: false,
      inForce: range(1, 20),
      fresh: false,
    });
  });

  test('has nothing new to say when sources are silent: the last list, and nothing is gone', () => {
    expect(rule(SILENT, range(1, 4))).toMatchObject({
      verdict: 'none',
      inForce: range(1, 4),
      fresh: false,
      complete: false,
      candidate: null,
      listId: listIdOf(range(1, 4)),
    });
    expect(rule(SILENT, null)).toMatchObject({ inForce: null, listId: null });
  });

  test('with one source silent adds and takes nothing away', () => {
    expect(rule(agreed(range(2, 5), false), range(1, 4))).toMatchObject({
      verdict: 'accepted',
      inForce: range(1, 5),
      fresh: false,
      removed: [],
    });
    expect(candidateOf(agreed(range(2, 5), false), null)).toEqual(range(2, 5));
  });

  test('without memory measures against what targets hold', () => {
    expect(rule(range(1, 8), null, { owned: range(1, 4) })).toMatchObject({ verdict: 'held', inForce: null });
    expect(rule(range(1, 18), null)).toMatchObject({ verdict: 'accepted' });
  });

  test('measures shrinking against the largest list of late', () => {
    const recent = [
      { at: NOW - 48 * HOUR, cidrs: range(1, 10) },
      { at: NOW - HOUR, cidrs: range(1, 8) },
    ];
    expect(rule(range(1, 6), range(1, 8), { recent })).toMatchObject({ verdict: 'held' });
    expect(rule(range(1, 6), range(1, 8))).toMatchObject({ verdict: 'accepted' });
  });
});

describe('rulings for targets with guards off', () => {
  const off = new Set<GuardName>(['growth']);
  const pass = {
    config: { safety: LIMITS, targets: [{ guardsOff: new Set<GuardName>() }, { guardsOff: off }] },
    approvals: new Set<string>(),
  };
  const rulings = (agreement: Agreement, state: Partial<State>) =>
    ruleForAll(pass, {
      agreement,
      state: { ...EMPTY_STATE, ...state },
      owned: [],
      ranges: { kind: 'not-asked' },
    });

  test('let the list in there and nowhere else', () => {
    const { strict, rulingFor } = rulings(agreed(range(1, 8)), { accepted: accepted(range(1, 4)) });
    expect(strict.verdict).toBe('held');
    expect(rulingFor(new Set()).inForce).toEqual(range(1, 4));
    expect(rulingFor(off)).toMatchObject({ verdict: 'accepted', inForce: range(1, 8), fresh: true });
  });

  test('remember their own list for when the sources are silent', () => {
    const state = { accepted: accepted(range(1, 4)), relaxed: { growth: accepted(range(1, 8)) } };
    const { rulingFor } = rulings(SILENT, state);
    expect([rulingFor(new Set()).inForce, rulingFor(off).inForce]).toEqual([range(1, 4), range(1, 8)]);
  });

  test('turn the removal clocks when only they accept, and none do when nobody does', () => {
    const state = { ...EMPTY_STATE, accepted: accepted(range(1, 4)) };
    const grown = rulings(agreed(range(2, 9)), { accepted: accepted(range(1, 4)) });
    expect([...turnClocks(state, grown, [], NOW).keys()]).toEqual([address(1)]);
    const refused = rulings(agreed(range(2, 22)), { accepted: accepted(range(1, 4)) });
    expect(turnClocks(state, refused, [], NOW).size).toBe(0);
  });
});
