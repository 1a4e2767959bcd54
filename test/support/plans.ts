import type { Entry, Marker, Service, Snapshot } from '../../providers/provider.ts';
import { type Cidr, toCidr } from '../../src/cidr.ts';
import type { GuardedPlan, GuardTarget } from '../../src/guards/plan.ts';
import { guardPlan } from '../../src/guards/plan.ts';
import { type PlanInput, type PlanTarget, planTarget } from '../../src/plan.ts';
import type { TargetMemory } from '../../src/state/state.ts';
import { IDENTITY, TCP, US } from './object.ts';

export const NOW = Date.parse('2026-03-01T12:00:00Z');
export const HOUR = 3_600_000;
export const NO_LIMITS = { maxShrink: { count: null, percent: null } };
export const LIMITS = { maxShrink: { count: 5, percent: 30 } };

export const cidrs = (...texts: string[]): Cidr[] => texts.map(toCidr);

/** `34.19.100.<n>/32`. */
export const address = (n: number): Cidr => toCidr(`34.19.100.${n}/32`);

export function entry(cidr: string, marker: Marker | null = US, service: Service = TCP, id?: string): Entry {
  return { cidr: toCidr(cidr), ...service, marker, id: id ?? `rule ${cidr} ${service.ports}` };
}

export function snapshot(entries: readonly Entry[], more: Partial<Snapshot> = {}): Snapshot {
  return { entries, beside: [], settings: [], capacity: [], warnings: [], ...more };
}

export function planTargetOf(more: Partial<PlanTarget & GuardTarget> = {}): PlanTarget & GuardTarget {
  return {
    name: US.target,
    mode: 'enforce',
    adopt: false,
    extraCidrs: [],
    excludeCidrs: [],
    guardsOff: new Set(),
    description: { object: 'group sg-1', services: [TCP] },
    spec: { identity: IDENTITY },
    provider: { adopts: 'entry', atomic: false },
    ...more,
  };
}

/** Input to the planner: no memory, no delay running, the list fresh; `more` says what matters. */
export function planInput(
  list: readonly Cidr[],
  entries: readonly Entry[],
  more: Partial<PlanInput> = {},
): PlanInput {
  return {
    target: planTargetOf(),
    snapshot: snapshot(entries),
    list: { cidrs: list, fresh: true },
    clocks: new Map(),
    removalDelay: 0,
    now: NOW,
    memory: undefined,
    everListed: new Set(),
    knownTargets: new Set([US.target]),
    ...more,
  };
}

/** What a run remembered that left exactly these entries behind, all of them desired. */
export function memory(entries: readonly Entry[], more: Partial<TargetMemory> = {}): TargetMemory {
  return {
    object: 'group sg-1',
    desired: [...new Set(entries.map(({ cidr }) => cidr))],
    extras: [],
    services: ['tcp 5432'],
    entries: entries.map(({ cidr, protocol, ports, id }) => ({
      key: `${cidr} ${protocol} ${ports}`,
      cidr,
      id,
      writtenAt: NOW - HOUR,
    })),
    settings: [],
    putBack: [],
    removed: [],
    leftovers: [],
    ...more,
  };
}

export function guarded(
  input: PlanInput & { target: GuardTarget },
  limits = NO_LIMITS as Parameters<typeof guardPlan>[2],
  approvals: ReadonlySet<string> = new Set(),
): GuardedPlan {
  return guardPlan(planTarget(input), input.target, limits, approvals);
}
