import { type Cidr, sortCidrs } from '../cidr.ts';
import { checksum } from '../plan.ts';
import type { Agreement } from '../sources/agree.ts';
import type { State } from '../state/state.ts';
import {
  type Finding,
  judgeList,
  type Limits,
  type ListFacts,
  notesOn,
  type Ranges,
  without,
} from './list.ts';
import type { GuardName } from './names.ts';

/** What the published list may do in this run. */
export interface Ruling {
  /** What targets are held to: the candidate when it was accepted, else the last accepted list; null without any. */
  readonly inForce: readonly Cidr[] | null;
  /** Every source answered, agreed, and the list passed: only then may an address be counted as gone. */
  readonly fresh: boolean;
  /** Every source answered, and all agreed, whatever the guards think of it. */
  readonly complete: boolean;
  /** What the sources say now; null when they say nothing they agree on. */
  readonly candidate: readonly Cidr[] | null;
  readonly verdict: 'accepted' | 'held' | 'refused' | 'none';
  /** Of the candidate, else of the list in force; null without any. What `--approve` takes while it is held. */
  readonly listId: string | null;
  /** Whether a person released it in this run. */
  readonly approved: boolean;
  readonly findings: readonly Finding[];
  /** What the guards let pass and people should know. */
  readonly notes: readonly string[];
  /** Against the last accepted list. */
  readonly added: readonly Cidr[];
  readonly removed: readonly Cidr[];
}

export interface RulingInput {
  readonly agreement: Agreement;
  readonly accepted: State['accepted'];
  readonly recent: State['recent'];
  /** What the targets hold as owned: the baseline when no list is remembered. */
  readonly owned: readonly Cidr[];
  readonly ranges: Ranges;
  readonly limits: Limits;
  readonly approvals: ReadonlySet<string>;
  /** Guards that are off for the target in question. */
  readonly off?: ReadonlySet<GuardName>;
}

export function listIdOf(cidrs: readonly Cidr[]): string {
  return checksum('list', cidrs);
}

/**
 * What the sources' list would be on top of the accepted one. While some source is silent nothing can be told gone,
 * so the list is then what was accepted together with what the others say.
 */
export function candidateOf(agreement: Agreement, accepted: State['accepted']): Cidr[] | null {
  if (agreement.kind !== 'agreed') return null;
  return sortCidrs(agreement.complete ? agreement.cidrs : [...agreement.cidrs, ...(accepted?.cidrs ?? [])]);
}

/** Decides by the guards and the approvals whether the candidate becomes the list in force. Pure. */
export function ruleOnList(input: RulingInput): Ruling {
  const { agreement, accepted, recent, owned, approvals } = input;
  const previous = accepted?.cidrs ?? null;
  const candidate = candidateOf(agreement, accepted);
  if (!candidate || agreement.kind !== 'agreed')
    return {
      inForce: previous,
      fresh: false,
      complete: false,
      candidate: null,
      verdict: 'none',
      listId: accepted?.listId ?? null,
      approved: false,
      findings: [],
      notes: [],
      added: [],
      removed: [],
    };
  const baseline = previous ?? owned;
  const facts: ListFacts = {
    candidate,
    baseline,
    largest: largestOf(recent, baseline),
    ranges: input.ranges,
  };
  const findings = judgeList(facts, input.limits, input.off);
  const listId = listIdOf(candidate);
  const refused = findings.some(({ effect }) => effect === 'refuse');
  const approved = !refused && findings.length > 0 && approvals.has(listId);
  const verdict = refused ? 'refused' : findings.length > 0 && !approved ? 'held' : 'accepted';
  return {
    inForce: verdict === 'accepted' ? candidate : previous,
    fresh: verdict === 'accepted' && agreement.complete,
    complete: agreement.complete,
    candidate,
    verdict,
    listId,
    approved,
    findings,
    notes: notesOn(facts, input.limits),
    added: without(candidate, baseline),
    removed: without(baseline, candidate),
  };
}

function largestOf(recent: State['recent'], baseline: readonly Cidr[]): readonly Cidr[] {
  return recent.reduce<readonly Cidr[]>(
    (largest, { cidrs }) => (cidrs.length > largest.length ? cidrs : largest),
    baseline,
  );
}
