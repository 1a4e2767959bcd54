import type { Marker, Provider, Service } from '../../providers/provider.ts';
import type { Family } from '../../src/cidr.ts';
import type { Fault, LoggedRequest } from '../../src/emulators/server.ts';

/** What a kind of object can do, in words, and where the service under test differs from the real one. */
export interface Capabilities {
  /** As {@link Provider.atomic}. */
  readonly atomic: boolean;
  readonly families: readonly Family[];
  /**
   * Who owns what is in the object: `entry` when each carries its own marker (a security group, a block in a file),
   * `object` when one marker speaks for all that it holds (a firewall rule, a JSON file).
   */
  readonly ownership: 'entry' | 'object';
  /** As {@link Provider.adopts}. */
  readonly adopts: 'entry' | 'object' | null;
  /** Whether entries carry text that {@link Entry.description} shows. */
  readonly supportsDescriptions: boolean;
  /** Names of operations that come on top of the least number of calls (waits for an operation). */
  readonly waits?: readonly string[];
  /** Runs of each property that drives the service. Default 10; fewer where a request is slow. */
  readonly runs?: number;
  /** Cases that cannot hold here, by key, with the reason as a sentence. They are shown as skipped, with it. */
  readonly differences?: Readonly<Partial<Record<CaseKey, string>>>;
}

/** The keys of the suite's cases; `differences` names them. */
export const CASE_KEYS = [
  'fresh',
  'describe',
  'read-back',
  'twice',
  'unowned',
  'other-marker',
  'somebody-elses-object',
  'previous-name',
  'exact-removal',
  'order',
  'batch',
  'cost-in-sync',
  'cost-change',
  'nothing-to-do',
  'missing',
  'lock',
  'mark',
  'boundaries',
  'faults',
  'storm',
  'second-writer',
  'stopped',
] as const;

export type CaseKey = (typeof CASE_KEYS)[number];

/** One allowed (CIDR, service), as an outsider sees it. */
export interface Allowed extends Service {
  readonly cidr: string;
}

/** One object of one service, made fresh for one test, and the hands of a person beside the tool. */
export interface Fixture {
  readonly provider: Provider;
  /** A target's options as they stand in the config; they open all of {@link services}. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Folder that relative paths start from. Default: the temporary folder. */
  readonly baseDir?: string;
  /** Environment of the run (endpoints, dummy credentials). Default: empty. */
  readonly env?: Readonly<Record<string, string>>;
  /** Two where the kind of object has protocols and ports, else the one `{ protocol: null, ports: null }`. */
  readonly services: readonly Service[];
  /** Options that name an object which cannot be had, and what the error must mention. Absent: cannot happen. */
  readonly missing?: { readonly options: Readonly<Record<string, unknown>>; readonly mention: string };

  /**
   * Lets an address in behind the tool's back, by the vendor's own client or the emulator's helpers, with `marker`
   * as its description or without one. `ownership: 'object'`: the address is put into the object for all services,
   * and an object that does not exist yet is made, carrying `marker` or nothing.
   */
  addByHand(cidr: string, service: Service, marker?: Marker): Promise<void>;
  /** Takes an address away behind the tool's back, for every service, whoever's it is. */
  removeByHand(cidr: string): Promise<void>;
  /** What the object allows now, as seen from outside and not through the adapter. In any order. */
  current(): Promise<readonly Allowed[]>;
  /**
   * Calls back with the outside view at every request boundary, from inside the service (the emulator's `observe`).
   * Without it the suite looks by {@link current} after each attempt of a request.
   */
  onRequest?(callback: (allowed: readonly Allowed[]) => void): void;
  /** From now on, asks `plan` at each request which fault to play; undefined stops it. Absent: cannot inject. */
  inject?(plan: ((request: LoggedRequest) => Fault | undefined) | undefined): void;
  close(): Promise<void>;
}
