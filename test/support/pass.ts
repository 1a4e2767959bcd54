/**
 * Whole passes for tests: a config file, `file` sources and the state in a temporary folder, a clock that the test
 * moves, and targets on the embedded clouds through the real adapters.
 *
 *     const aws = await awsCloud();
 *     const place = await installation({ targets: [aws.target()], env: aws.env, published: addresses(3) });
 *     await place.sync();                      // a report, as `sync --output json` prints it
 *     await place.publish(addresses(2));
 *     place.clock.advance('25h');
 *     expect((await place.check()).exitCode).toBe(2);
 *     expect(aws.allowed()).toEqual(addresses(3));
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Service } from '../../providers/provider.ts';
import { sortCidrs, toCidr } from '../../src/cidr.ts';
import type { Clock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
import { parseDuration } from '../../src/duration.ts';
import { type Compute, type ComputeOptions, startCompute } from '../../src/emulators/compute/index.ts';
import { type Ec2, type Ec2Options, type Permission, startEc2 } from '../../src/emulators/ec2/index.ts';
import type { PassEvent } from '../../src/pass.ts';
import type { Report } from '../../src/report.ts';
import { run } from '../../src/run.ts';
import type { State } from '../../src/state/state.ts';
import { openStore, type Store } from '../../src/state/store.ts';
import { environment as awsEnvironment, inbound, permission } from '../providers/aws/fixture.ts';
import { environment as gcpEnvironment, PROJECT, RULE } from '../providers/gcp/fixture.ts';
import { temporaryFolder } from './state.ts';

/** The first `count` of a line of public addresses, sorted, each as a canonical CIDR. */
export function addresses(count: number, from = 1): string[] {
  return Array.from({ length: count }, (_, index) => `34.19.100.${from + index}/32`);
}

interface TestClock extends Clock {
  /** Moves `now` by a duration of the config (`25h`), or by milliseconds. */
  advance(by: string | number): void;
}

/** Stands still but for `advance` and for sleeps, which take no real time. */
function testClock(start = Date.parse('2026-03-01T12:00:00Z')): TestClock {
  let time = start;
  return {
    now: () => time,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      time += ms;
      // Others get their turn, as they would while somebody really waits.
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
    },
    advance: (by) => {
      time += typeof by === 'number' ? by : (parseDuration(by) ?? Number.NaN);
    },
  };
}

export interface InstallationOptions {
  readonly targets: readonly Record<string, unknown>[];
  /** What is published at first, by every source. Default: nothing is written, so the sources are unreachable. */
  readonly published?: readonly string[];
  /** How many `file` sources there are. Default 1. */
  readonly sources?: number;
  /** Endpoints and credentials: those of the clouds, spread into one. */
  readonly env?: Readonly<Record<string, string>>;
  /** The other keys of the config (`safety`, `alerts`, `owner`). */
  readonly config?: Readonly<Record<string, unknown>>;
}

export interface PassFlags {
  /** Names of targets. */
  readonly only?: readonly string[];
  readonly approve?: readonly string[];
  readonly detailedExitCode?: boolean;
  /** Ends the pass from outside, beside the deadline, which is kept in the time of the clock. */
  readonly signal?: AbortSignal;
  /** From its abort on the pass is as good as a killed process: no wait of it ends, and it writes nothing more. */
  readonly killed?: AbortSignal;
  /** Called before each write to the state: the place to kill the pass there. */
  readonly beforeWrite?: () => void;
  /** Longest real time of one request to a cloud, in milliseconds. Default: the product's own. */
  readonly callTimeoutMs?: number;
}

export interface Installation {
  readonly dir: string;
  readonly clock: TestClock;
  /** What passes told along the way, the latest last. */
  readonly events: readonly PassEvent[];
  sync(flags?: PassFlags): Promise<Report>;
  dryRun(flags?: PassFlags): Promise<Report>;
  check(flags?: PassFlags): Promise<Report>;
  /** Has one source (numbered from 0), or all of them, publish these addresses. */
  publish(cidrs: readonly string[], source?: number): Promise<void>;
  /** Has one source, or all of them, hold this document; null takes the document away. */
  publishText(text: string | null, source?: number): Promise<void>;
  /** Changes keys of the config; later passes use it. */
  configure(change: { targets?: readonly Record<string, unknown>[]; config?: Record<string, unknown> }): void;
  state(): Promise<State>;
  loseState(): Promise<void>;
}

export async function installation(options: InstallationOptions): Promise<Installation> {
  const dir = await temporaryFolder();
  const clock = testClock();
  const events: PassEvent[] = [];
  const count = options.sources ?? 1;
  let { targets, config = {} } = options;
  let runs = 0;

  async function pass(command: 'sync' | 'check', dryRun: boolean, flags: PassFlags = {}): Promise<Report> {
    const sources = Array.from({ length: count }, (_, index) => ({
      type: 'file',
      path: `list-${index}.txt`,
      format: 'text',
    }));
    const path = join(dir, 'allowlist-sync.config.json');
    await writeFile(path, JSON.stringify({ owner: 'acme', sources, ...config, targets }));
    const env = options.env ?? {};
    const loaded = await loadConfig({ env, cwd: dir, path });
    const deadline = deadlineOf(clock, loaded.safety.deadline);
    runs += 1;
    return run({
      runId: `run-${runs}`,
      config: loaded,
      command,
      dryRun,
      detailedExitCode: flags.detailedExitCode ?? false,
      only: flags.only ? new Set(flags.only) : null,
      approvals: new Set(flags.approve ?? []),
      world: {
        clock: mortalClock(deadline.clock, flags.killed),
        ...(flags.callTimeoutMs !== undefined && { callTimeoutMs: flags.callTimeoutMs }),
        random: () => 0.5,
        uuid: () => crypto.randomUUID(),
        env,
        user: 'kim',
        host: 'bastion',
      },
      store: mortalStore(openStore(loaded.stateDir), flags),
      signal: flags.signal ? AbortSignal.any([flags.signal, deadline.signal]) : deadline.signal,
      tell: (event) => events.push(event),
    });
  }

  async function publishText(text: string | null, source?: number): Promise<void> {
    const which = source === undefined ? Array.from({ length: count }, (_, index) => index) : [source];
    await mkdir(dir, { recursive: true });
    for (const index of which) {
      const file = join(dir, `list-${index}.txt`);
      await (text === null ? rm(file, { force: true }) : writeFile(file, text));
    }
  }

  const publish = (cidrs: readonly string[], source?: number) =>
    publishText(cidrs.map((cidr) => `${cidr}\n`).join(''), source);
  if (options.published) await publish(options.published);
  return {
    dir,
    clock,
    events,
    sync: (flags) => pass('sync', false, flags),
    dryRun: (flags) => pass('sync', true, flags),
    check: (flags) => pass('check', true, flags),
    publish,
    publishText,
    configure: (change) => {
      targets = change.targets ?? targets;
      config = { ...config, ...change.config };
    },
    state: async () => (await openStore(join(dir, 'state')).load()).state,
    loseState: () => rm(join(dir, 'state'), { recursive: true, force: true }),
  };
}

/** The run's deadline in the time of the clock: a sleep that passes it aborts. */
function deadlineOf(clock: Clock, ms: number): { clock: Clock; signal: AbortSignal } {
  const controller = new AbortController();
  const end = clock.now() + ms;
  return {
    signal: controller.signal,
    clock: {
      now: clock.now,
      sleep: async (wait, signal) => {
        if (clock.now() + wait > end) controller.abort(new Error('the deadline passed'));
        await clock.sleep(wait, signal);
      },
    },
  };
}

/** Holds back for ever whatever is begun after the kill. */
async function unlessDead(killed: AbortSignal | undefined): Promise<void> {
  if (killed?.aborted) await new Promise<never>(() => undefined);
}

function mortalClock(clock: Clock, killed: AbortSignal | undefined): Clock {
  return {
    now: clock.now,
    sleep: async (ms, signal) => {
      await unlessDead(killed);
      await clock.sleep(ms, signal);
      await unlessDead(killed);
    },
  };
}

function mortalStore(store: Store, { killed, beforeWrite }: PassFlags): Store {
  return {
    ...store,
    save: async (state) => {
      beforeWrite?.();
      await unlessDead(killed);
      await store.save(state);
    },
    append: async (records) => {
      beforeWrite?.();
      await unlessDead(killed);
      await store.append(records);
    },
  };
}

export const POSTGRES: Service = { protocol: 'tcp', ports: '5432' };

/** An EC2 with one empty group. */
export interface AwsCloud {
  readonly ec2: Ec2;
  readonly groupId: string;
  readonly env: Record<string, string>;
  /** A target on the group, called `orders` unless `keys` say otherwise. */
  target(keys?: Record<string, unknown>): Record<string, unknown>;
  /** Lets an address in by hand; gives the id of the rule. */
  add(cidr: string, description?: string, service?: Service): string;
  /** Takes every rule of an address away by hand. */
  remove(cidr: string): void;
  /** Changes the rule of an address by hand. */
  edit(cidr: string, change: Partial<Permission>): void;
  /** Which addresses reach a port, sorted. */
  allowed(port?: number): string[];
  /** The operations since the last call of this. */
  requests(): string[];
}

export async function awsCloud(options: Ec2Options = {}): Promise<AwsCloud> {
  const ec2 = await startEc2(options);
  onTestFinished(() => ec2.close());
  const groupId = ec2.createGroup({ name: 'orders' });
  let seen = 0;
  const rules = (cidr: string) => inbound(ec2, groupId).filter((rule) => cidrOf(rule) === cidr);
  return {
    ec2,
    groupId,
    env: awsEnvironment(ec2.url),
    target: (keys = {}) => ({
      name: 'orders',
      provider: 'aws-security-group',
      region: 'us-west-2',
      groupId,
      allow: [{ protocol: 'tcp', ports: [5432] }],
      ...keys,
    }),
    add: (cidr, description, service = POSTGRES) =>
      ec2.authorize(groupId, permission(cidr, service, description))[0]?.id ?? '',
    remove: (cidr) => {
      for (const { id } of rules(cidr)) ec2.revoke(id);
    },
    edit: (cidr, change) => {
      for (const { id } of rules(cidr)) ec2.modify(id, change);
    },
    allowed: (port = 5432) =>
      sortCidrs(
        inbound(ec2, groupId)
          .filter((rule) => (rule.fromPort ?? 0) <= port && port <= (rule.toPort ?? 65535))
          .map((rule) => toCidr(cidrOf(rule))),
      ),
    requests: () => {
      const fresh = ec2.requests.slice(seen).map(({ operation }) => operation);
      seen = ec2.requests.length;
      return fresh;
    },
  };
}

function cidrOf(rule: { cidrIpv4?: string; cidrIpv6?: string }): string {
  return rule.cidrIpv4 ?? rule.cidrIpv6 ?? '';
}

/** A Compute Engine with nothing but the default network. */
export interface GcpCloud {
  readonly compute: Compute;
  readonly env: Record<string, string>;
  /** A target on the rule, called `analytics` unless `keys` say otherwise. */
  target(keys?: Record<string, unknown>): Record<string, unknown>;
  /** Changes the rule by hand. */
  edit(change: Parameters<Compute['edit']>[2], name?: string): void;
  /** The source ranges of the rules, sorted; of rules that are disabled too. */
  allowed(): string[];
  /** The operations since the last call of this. */
  requests(): string[];
}

export async function gcpCloud(options: ComputeOptions = {}): Promise<GcpCloud> {
  const compute = await startCompute({ project: PROJECT, ...options });
  onTestFinished(() => compute.close());
  let seen = 0;
  return {
    compute,
    env: gcpEnvironment(compute.url),
    target: (keys = {}) => ({
      name: 'analytics',
      provider: 'gcp-firewall',
      project: PROJECT,
      network: 'default',
      rule: RULE,
      allow: [{ protocol: 'tcp', ports: [5432] }],
      targetTags: ['postgres'],
      ...keys,
    }),
    edit: (change, name = RULE) => {
      compute.edit(PROJECT, name, change);
    },
    allowed: () =>
      sortCidrs(
        [RULE, `${RULE}-v6`].flatMap((name) =>
          (compute.rule(PROJECT, name)?.sourceRanges ?? []).map((range) => toCidr(range)),
        ),
      ),
    requests: () => {
      const fresh = compute.requests.slice(seen).map(({ operation }) => operation);
      seen = compute.requests.length;
      return fresh;
    },
  };
}
