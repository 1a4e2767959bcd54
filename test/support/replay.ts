/** A published list's history, lived through by whole passes on a fake clock, each request of which is looked at. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Report } from '../../src/report.ts';
import { inbound } from '../providers/aws/fixture.ts';
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
import { startWitness, type Witness } from './witness.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** One change of the published list. */
export interface ListChange {
  /** Milliseconds since the epoch; never before the change before it. */
  readonly at: number;
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

export interface Watched {
  readonly place: Installation;
  /** Tells every witness what is published from now on. */
  want(cidrs: readonly string[]): void;
  /** What each target lets in, by its name. */
  allowed(): Record<string, string[]>;
  /** One sync, at the end of which every target is looked at once more. */
  sync(flags?: PassFlags): Promise<Report>;
  /** Of all targets. */
  wrongs(): string[];
  looks(): number;
}

/** A target on each of the clouds named, and the file `allowed.txt`; a witness looks at every one. */
export async function watchedPlace(options: {
  readonly clouds: readonly ('aws' | 'gcp')[];
  readonly start: number;
  readonly config: Readonly<Record<string, unknown>>;
}): Promise<Watched> {
  const { clouds, start, config } = options;
  const delayMs = 24 * HOUR_MS;
  const witnesses: Record<string, Witness> = {};
  const look = (name: string, allowed: ReadonlySet<string>) => witnesses[name]?.look(allowed);
  const aws = clouds.includes('aws')
    ? await awsCloud({ quota: 1000, observe: () => look('orders', groupView(aws)) })
    : null;
  const gcp = clouds.includes('gcp')
    ? await gcpCloud({ observe: () => look('analytics', rulesView(gcp)) })
    : null;
  const place = await installation({
    targets: [
      ...(aws ? [aws.target({ maxRules: 1000 })] : []),
      ...(gcp ? [gcp.target()] : []),
      { name: 'edge', provider: 'file', path: 'allowed.txt', format: 'text' },
    ],
    env: { ...aws?.env, ...gcp?.env },
    config,
  });
  place.clock.advance(start - place.clock.now());
  const views: Record<string, () => Set<string>> = {
    ...(aws && { orders: () => groupView(aws) }),
    ...(gcp && { analytics: () => rulesView(gcp) }),
    edge: () => fileView(join(place.dir, 'allowed.txt')),
  };
  for (const name of Object.keys(views)) witnesses[name] = startWitness({ now: place.clock.now, delayMs });
  const all = () => Object.values(witnesses);
  return {
    place,
    want: (cidrs) => {
      for (const witness of all()) witness.want(cidrs);
    },
    allowed: () =>
      Object.fromEntries(Object.entries(views).map(([name, view]) => [name, [...view()].sort()])),
    sync: async (flags) => {
      const report = await place.sync(flags);
      for (const [name, view] of Object.entries(views)) look(name, view());
      return report;
    },
    wrongs: () => all().flatMap(({ wrongs }) => wrongs),
    looks: () => all().reduce((sum, { looks }) => sum + looks, 0),
  };
}

function groupView(aws: AwsCloud | null): Set<string> {
  if (!aws) return new Set();
  return new Set(inbound(aws.ec2, aws.groupId).map((rule) => rule.cidrIpv4 ?? rule.cidrIpv6 ?? 'a peer'));
}

function rulesView(gcp: GcpCloud | null): Set<string> {
  return new Set([RULE, RULE_V6].flatMap((name) => gcp?.compute.rule(PROJECT, name)?.sourceRanges ?? []));
}

function fileView(path: string): Set<string> {
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    // Not written yet.
  }
  return new Set(text.split('\n').filter((line) => /^[0-9a-f]/.test(line)));
}

export interface Replayed {
  readonly changes: number;
  readonly passes: number;
  readonly looks: number;
}

/**
 * Lives through the changes, one pass at each and one a day between them, at most `daily` in a row and then one a
 * week. Every pass must end well; when everything is due, each target must hold exactly the list.
 */
export async function replay(
  changes: readonly ListChange[],
  options: { clouds: readonly ('aws' | 'gcp')[]; safety: Readonly<Record<string, unknown>>; daily: number },
): Promise<Replayed> {
  const [first] = changes;
  if (!first) throw new RangeError('no changes');
  const watched = await watchedPlace({
    clouds: options.clouds,
    start: first.at,
    config: { safety: options.safety },
  });
  const { clock } = watched.place;
  let passes = 0;
  let lastRemoval = Number.NEGATIVE_INFINITY;
  const list = new Set<string>();

  async function pass(): Promise<void> {
    const report = await watched.sync();
    passes += 1;
    const when = new Date(clock.now()).toISOString();
    expect(watched.wrongs().slice(0, 3), when).toEqual([]);
    const { exitCode, error, egress, targets } = report;
    const ended = { when, exitCode, error, held: [...egress.held, ...targets.flatMap(({ held }) => held)] };
    expect(ended).toEqual({ when, exitCode: 0, error: null, held: [] });
    if (clock.now() - lastRemoval < 2 * DAY_MS) return;
    const wanted = [...list].sort();
    for (const [name, allowed] of Object.entries(watched.allowed()))
      expect(allowed, `${name} ${when}`).toEqual(wanted);
  }

  for (const [index, { at, added, removed }] of changes.entries()) {
    clock.advance(Math.max(0, at - clock.now()));
    for (const cidr of removed) list.delete(cidr);
    for (const cidr of added) list.add(cidr);
    if (removed.length > 0) lastRemoval = clock.now();
    watched.want([...list]);
    await watched.place.publish([...list]);
    await pass();
    const until = changes[index + 1]?.at ?? at + 3 * DAY_MS;
    for (let day = 1; ; day += 1) {
      const step = day <= options.daily ? DAY_MS : 7 * DAY_MS;
      if (clock.now() + step >= until) break;
      clock.advance(step);
      await pass();
    }
  }
  return { changes: changes.length, passes, looks: watched.looks() };
}
