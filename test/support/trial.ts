/**
 * One installation with one target on an embedded cloud, where every request is looked at by a {@link Witness} and can
 * be made to fail, to be the last one of the process, or to come just after a person changed something.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Compute, ComputeOptions } from '../../src/emulators/compute/index.ts';
import type { Ec2, Ec2Options } from '../../src/emulators/ec2/index.ts';
import type { Fault, LoggedRequest } from '../../src/emulators/server.ts';
import type { Report } from '../../src/report.ts';
import { PROJECT, RULE, RULE_V6 } from '../providers/gcp/fixture.ts';
import {
  type AwsCloud,
  awsCloud,
  type GcpCloud,
  gcpCloud,
  type Installation,
  installation,
  type PassFlags,
} from './pass.ts';
import { type Allowed, startWitness, type Witness } from './witness.ts';

/** Asked at each request of one pass, numbered from 0, before it is handled. */
export type Plan = (nth: number, request: LoggedRequest) => Fault | undefined;

export interface TrialOptions {
  readonly cloud: 'aws' | 'gcp';
  /** Of the target beside the usual ones. */
  readonly keys?: Readonly<Record<string, unknown>>;
  readonly ec2?: Ec2Options;
  readonly compute?: ComputeOptions;
  /** `safety.removalDelay`, in hours. Default 24. */
  readonly delayHours?: number;
}

export interface Trial {
  readonly cloud: 'aws' | 'gcp';
  readonly place: Installation;
  readonly witness: Witness;
  /** The cloud of this trial, for a person's hands; the other one is not there. */
  readonly aws: AwsCloud | null;
  readonly gcp: GcpCloud | null;
  /** What the object lets in now. */
  allowed(): Allowed;
  /** Publishes these, and tells the witness. */
  publish(cidrs: readonly string[]): Promise<void>;
  published(): readonly string[];
  /** Changes the target's keys, and tells the witness which ports are wanted from now on. */
  retarget(keys: Readonly<Record<string, unknown>>, ports?: readonly string[]): void;
  /** One sync under a plan; gives its report and how many requests it made. */
  sync(plan?: Plan, flags?: PassFlags): Promise<{ report: Report; requests: number }>;
  /** Starts a sync that dies at request `at`, before or after it takes effect; whether it came so far. */
  die(at: number, when: Fault['when']): Promise<boolean>;
  /** Starts a sync that dies at its write `at` to the state; whether it came so far. */
  dieWriting(at: number): Promise<boolean>;
  /** Minutes pass: what a service still had in hand is done. */
  rest(): Promise<void>;
  /** Quiet syncs until every removal is due: then the object holds what is wanted, and nobody was harmed. */
  settle(): Promise<void>;
  /** What a person let in, to be there at the end too. */
  readonly byHand: Set<string>;
  /** What may be there or not at the end: a person and a run were at it at the same time. */
  readonly undecided: Set<string>;
}

const HOUR_MS = 3_600_000;

/** Lets every change of the list through at once: what is tried here is not the guards. */
export const OPEN_LIMITS = {
  maxGrowth: { count: null, percent: null },
  maxShrink: { count: null, percent: null },
};

export async function startTrial(options: TrialOptions): Promise<Trial> {
  const { cloud, delayHours = 24 } = options;
  let plan: Plan | undefined;
  let requests = 0;
  const hooks = {
    fault: (request: LoggedRequest) => {
      const nth = requests++;
      return plan?.(nth, request);
    },
    observe: () => witness.look(allowed()),
  };
  const aws = cloud === 'aws' ? await awsCloud({ ...options.ec2, ...hooks }) : null;
  const gcp = cloud === 'gcp' ? await gcpCloud({ ...options.compute, ...hooks }) : null;
  const at = aws ?? gcp;
  if (!at) throw new Error('no cloud');
  const place = await installation({
    targets: [at.target(options.keys)],
    env: at.env,
    config: { safety: { ...OPEN_LIMITS, removalDelay: `${delayHours}h` } },
  });
  const witness = startWitness({ now: place.clock.now, delayMs: delayHours * HOUR_MS });
  const byHand = new Set<string>();
  const undecided = new Set<string>();
  let cidrs: readonly string[] = [];
  let ports: readonly string[] = ['5432'];

  const allowed = (): Allowed =>
    aws ? allowedByGroup(aws.ec2, aws.groupId) : gcp ? allowedByRules(gcp.compute) : new Set();
  const wanted = () => cidrs.flatMap((cidr) => ports.map((port) => `${cidr} tcp ${port}`));

  async function sync(wish?: Plan, flags: PassFlags = {}) {
    requests = 0;
    plan = wish;
    const report = await place.sync(flags);
    const codes = [report.error, ...report.targets.map(({ error }) => error)].map((error) => error?.code);
    if (codes.includes('internal')) witness.accuse(`a bug was met: ${JSON.stringify(report.targets)}`);
    return { report, requests };
  }

  /** Starts a pass that is dead from the moment on that `flags` or the plan call `kill`. */
  async function killed(start: (kill: () => void) => PassFlags): Promise<boolean> {
    const death = new AbortController();
    const died = new Promise<boolean>((resolve) => {
      death.signal.addEventListener('abort', () => resolve(true), { once: true });
    });
    requests = 0;
    const flags = start(() => death.abort());
    const ended = await Promise.race([
      place.sync({ ...flags, killed: death.signal }).then(() => false),
      died,
    ]);
    // The request at which it died still takes effect, where it is to.
    await turn();
    return ended;
  }

  return {
    cloud,
    place,
    witness,
    aws,
    gcp,
    allowed,
    byHand,
    undecided,
    publish: async (next) => {
      cidrs = next;
      witness.want(wanted());
      await place.publish(next);
    },
    retarget: (keys, next = ports) => {
      ports = next;
      // A change of the config takes effect at once, once its replacement is proven: no delay holds for it.
      witness.want(wanted(), 0);
      place.configure({ targets: [at.target({ ...options.keys, ...keys })] });
    },
    published: () => cidrs,
    sync,
    die: (nth, when) =>
      killed((kill) => {
        plan = (index) => {
          if (index < nth) return undefined;
          kill();
          return { kind: 'hang', when: index === nth ? when : 'before' };
        };
        return {};
      }),
    dieWriting: (nth) =>
      killed((kill) => {
        plan = undefined;
        let writes = 0;
        return {
          beforeWrite: () => {
            if (writes++ === nth) kill();
          },
        };
      }),
    rest: async () => {
      plan = undefined;
      const url = `${gcp?.compute.url}/compute/v1/projects/${PROJECT}/global/firewalls`;
      // An operation that nobody asks for ends after a few other requests.
      for (let nth = 0; gcp && nth < 4; nth += 1) await (await fetch(url)).arrayBuffer();
    },
    settle: async () => {
      const reports: Report[] = [(await sync()).report];
      place.clock.advance(delayHours * HOUR_MS + HOUR_MS);
      reports.push((await sync()).report);
      const { report } = await sync();
      witness.look(allowed());
      expect(witness.wrongs.slice(0, 5)).toEqual([]);
      const must = new Set([...wanted(), ...byHand]);
      const decided = [...allowed()].filter((key) => must.has(key) || !undecided.has(key));
      expect(decided.sort()).toEqual([...must].sort());
      expect(reports.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
      expect(report.targets[0]).toMatchObject({ status: 'in-sync', changes: [], error: null });
    },
  };
}

/** Every inbound rule, as `<address> <protocol> <ports>`. */
export function allowedByGroup(ec2: Ec2, groupId: string): Set<string> {
  const inbound = ec2.rules(groupId).filter(({ isEgress }) => !isEgress);
  return new Set(
    inbound.map(({ cidrIpv4, cidrIpv6, protocol, fromPort, toPort }) => {
      const ports = fromPort === toPort ? `${fromPort}` : `${fromPort}-${toPort}`;
      return `${cidrIpv4 ?? cidrIpv6} ${protocol} ${ports}`;
    }),
  );
}

/**
 * What our two rules let in to the instances with our tag. A rule for other instances than ours, or that takes its
 * sources from elsewhere too, is told apart, so that it counts as something never wanted.
 */
export function allowedByRules(compute: Compute): Set<string> {
  const found = new Set<string>();
  for (const name of [RULE, RULE_V6]) {
    const rule = compute.rule(PROJECT, name);
    if (!rule || rule.disabled) continue;
    const tags = rule.targetTags?.join() === 'postgres' ? '' : ' to other instances';
    const sources = [...(rule.sourceRanges ?? []), ...(rule.sourceTags ?? []).map((tag) => `tag:${tag}`)];
    for (const { IPProtocol, ports = [''] } of rule.allowed ?? [])
      for (const port of ports)
        for (const source of sources) found.add(`${source} ${IPProtocol} ${port}${tags}`);
  }
  return found;
}
