/**
 * The contract between the core and an adapter for one kind of firewall object.
 *
 * To write an adapter, export one {@link Provider} from a file of your own and name that file in a target's
 * `provider`. The core owns order, safety and reporting; the adapter only reads and writes one object:
 *
 * - `read` gives all that the object allows, as the service has it. It reads every page, and throws when a page or
 *   the object is missing or unreadable: an empty snapshot means that the object exists and holds nothing.
 * - `write` carries out the changes it is given, no more. It throws {@link ConflictError} when the object is no
 *   longer as the snapshot says; the core then reads and plans again.
 * - Every HTTP request goes through {@link Io.request}, which counts it, limits its time and retries it. Switch off
 *   the retries of your SDK. Inside `request`, turn vendor errors into `TransientError` or `FatalError`.
 * - No flag says "dry run": a dry run is never given `write`.
 *
 * test/provider-suite.ts is the conformance suite; an adapter that passes it is a good one.
 */
import { z } from 'zod';
import { type Cidr, familyOf, prefixLength } from '../src/cidr.ts';
import { FatalError } from '../src/errors.ts';

/** What an entry opens: a protocol by its name (`tcp`, `all`) and ports (`5432`, `6432-6439`), both null where the
 * object has no such thing (a plain list of addresses), ports null where the protocol has none. */
export interface Service {
  readonly protocol: string | null;
  readonly ports: string | null;
}

/** The ownership marker, written where the service has room for it: `allowlist-sync/v1 owner=<o> target=<t>`. */
export interface Marker {
  readonly owner: string;
  readonly target: string;
}

/** One (CIDR, service) that a target allows. */
export interface Entry extends Service {
  readonly cidr: Cidr;
  /** The marker it carries, or null: somebody made it by hand or with another tool. */
  readonly marker: Marker | null;
  /** The service's own id of the thing that holds this entry (a rule id, a rule name), for people and for causes. */
  readonly id: string;
  /** The text of the description as it stands, where one can be rewritten to take the entry over. */
  readonly description?: string;
}

/** A setting beside the entries that the adapter keeps as the config says (a priority, the tags). */
export interface Setting {
  readonly field: string;
  /** Both as a person would read them, in the service's canonical form; equal strings mean nothing to do. */
  readonly actual: string;
  readonly desired: string;
  /** False: reported as drift, left as it is (rules that somebody disabled on purpose). */
  readonly repair: boolean;
  /** The rule or part that has it. */
  readonly id: string;
}

/** How many entries fit, counted as the service counts them. */
export interface Capacity {
  /** What is counted: `ipv4`, `ipv6`, or `all` entries together. */
  readonly scope: 'ipv4' | 'ipv6' | 'all';
  readonly used: number;
  readonly limit: number;
}

/** Warning codes an adapter may give of its own; the others come from the core. */
export interface SnapshotWarning {
  readonly code: 'rule-disabled' | 'open-to-world' | 'capacity-unknown' | 'note';
  readonly detail: string;
}

/** What one read found. */
export interface Snapshot {
  /** Every CIDR entry of the object. One that is identical to a desired one satisfies it, whoever made it. */
  readonly entries: readonly Entry[];
  /** Entries of other objects that open the same door (other rules of the network): never counted as satisfying,
   * never changed; looked at for warnings only. */
  readonly beside: readonly Entry[];
  readonly settings: readonly Setting[];
  readonly capacity: readonly Capacity[];
  readonly warnings: readonly SnapshotWarning[];
  /**
   * Set when the whole object carries no marker and is not to be taken over (`adopts: 'object'`): somebody else's, or
   * ours that lost its marker. The core, which remembers, tells the two apart; it writes nothing, and gives this error
   * where something would have to be written.
   */
  readonly unowned?: FatalError;
}

export type Change =
  | { readonly action: 'add'; readonly entry: Service & { readonly cidr: Cidr } }
  | { readonly action: 'remove'; readonly entry: Entry }
  /** Bring one {@link Setting} to its desired value. */
  | { readonly action: 'update'; readonly setting: Setting }
  /** Write our marker onto an entry that has another description. Sent only to adapters with `adopts: 'entry'`. */
  | { readonly action: 'mark'; readonly entry: Entry };

/** What a dry run, `check` and every proof hold: no way to write. */
export interface Readable {
  read(): Promise<Snapshot>;
  /**
   * The capacity as the service itself tells it, where that takes requests of its own. Asked only when a plan does not
   * fit what `read` gave; null when it cannot be had, and `read` stands.
   */
  exactCapacity?(snapshot: Snapshot): Promise<readonly Capacity[] | null>;
}

export interface Opened extends Readable {
  /**
   * Carries out `changes`, planned from `snapshot`, the latest that `read` gave. Unless the provider is `atomic`
   * the core sends additions, marks and updates first, reads, and sends the removals in a second call.
   */
  write(changes: readonly Change[], snapshot: Snapshot): Promise<void>;
}

/** Who we are to this object. */
export interface Identity {
  readonly owner: string;
  /** The target's name, which its marker carries. */
  readonly target: string;
  /** Names it had before; their markers count as ours. */
  readonly previousNames: readonly string[];
}

export interface TargetSpec<Options> {
  readonly identity: Identity;
  readonly options: Options;
  /** The folder that relative paths in the options start from. */
  readonly baseDir: string;
}

/** What the core lends to an adapter. */
export interface Io {
  /**
   * One HTTP request to the target's service. `operation` is the vendor's name for it. `send` is given a signal
   * that ends with the call's time limit or the run's deadline; what it throws as `TransientError` is retried with
   * backoff (after `retryAfterMs` where the service said so), anything else is thrown on at once.
   */
  request<T>(operation: string, send: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Waits between polls of an operation; throws `TransientError` when the run's deadline passes. */
  sleep(ms: number): Promise<void>;
  /** The process environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A fresh unique id (UUID), for idempotency tokens. */
  uuid(): string;
}

/** What an object is, told without any network. */
export interface Description {
  /** The same string for the same object, whatever the target is called: part of plan ids, and two targets with the
   * same object must not manage the same ports. */
  readonly object: string;
  readonly services: readonly Service[];
  /** The account whose rate limit the calls share (`aws us-west-2 profile prod`): throttling slows this one only. */
  readonly account: string;
}

export interface Provider<Options = unknown> {
  readonly name: string;
  /** The keys of a target in the config beside the common ones. Loads no SDK. */
  readonly options: z.ZodType<Options>;
  /** True: one write replaces everything at once, so additions and removals come together. */
  readonly atomic: boolean;
  /** What `adopt: true` takes over: single entries, or the whole object; null when there is nothing to adopt. */
  readonly adopts: 'entry' | 'object' | null;
  describe(spec: TargetSpec<Options>): Description;
  /** Makes the client (and only now loads the SDK); no request yet. */
  open(spec: TargetSpec<Options>, io: Io): Promise<Opened>;
}

/** Gives a provider its types from its options schema. */
export function defineProvider<Options>(provider: Provider<Options>): Provider<Options> {
  return provider;
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** An owner or target name. */
export const nameSchema = z
  .string()
  .regex(NAME, 'must be lower-case letters, digits, `.`, `_` or `-`, at most 63');

/** The marker as text. At most 2 * 63 + 34 = 160 characters, all allowed in descriptions of AWS and GCP. */
export function formatMarker(marker: Marker): string {
  return `allowlist-sync/v1 owner=${marker.owner} target=${marker.target}`;
}

export function markerOf(identity: Identity): Marker {
  return { owner: identity.owner, target: identity.target };
}

/** Reads a marker by its tokens, in this order and with nothing else around it, never as a substring. */
export function parseMarker(text: string | null | undefined): Marker | null {
  const [magic, owner, target, ...rest] = (text ?? '').trim().split(/\s+/);
  if (magic !== 'allowlist-sync/v1' || rest.length > 0) return null;
  const [o, t] = [owner?.match(/^owner=(.+)$/)?.[1], target?.match(/^target=(.+)$/)?.[1]];
  return o && t && NAME.test(o) && NAME.test(t) ? { owner: o, target: t } : null;
}

/** Whether a marker is exactly this owner's and this target's (or of a name that the target had before). */
export function isOurs(marker: Marker | null, identity: Identity): boolean {
  return (
    marker !== null &&
    marker.owner === identity.owner &&
    (marker.target === identity.target || identity.previousNames.includes(marker.target))
  );
}

const port = z.int().min(0).max(65535);
const portRange = z
  .string()
  .regex(/^\d{1,5}(-\d{1,5})?$/, 'must be a port or a range such as "6432-6439"')
  .refine((text) => {
    const [from = 0, to = from] = text.split('-').map(Number);
    return from <= to && to <= 65535;
  }, 'must run from the lower port to the higher, at most 65535');

/** `allow` of a target: which ports the addresses may reach. Numbers are taken for names (6 is tcp). */
export const allowSchema = z
  .array(
    z.strictObject({
      protocol: z
        .union([z.enum(['tcp', 'udp', 'sctp']), z.literal(6), z.literal(17), z.literal(132)])
        .describe('`tcp`, `udp` or `sctp`, or the protocol number of one of them')
        .transform((p) => (typeof p === 'string' ? p : PROTOCOLS[p])),
      ports: z
        .array(z.union([port, portRange]))
        .min(1)
        .describe('Ports such as 5432, and ranges such as "6432-6439"'),
    }),
  )
  .min(1);

export type Allow = z.output<typeof allowSchema>;

const PROTOCOLS = { 6: 'tcp', 17: 'udp', 132: 'sctp' } as const;

/** The services of an `allow`, in canonical form and sorted; `5432-5432` is `5432`. */
export function servicesOf(allow: Allow): Service[] {
  return allow
    .flatMap(({ protocol, ports }) => ports.map((p) => ({ protocol, ports: canonicalPorts(String(p)) })))
    .sort((a, b) => a.protocol.localeCompare(b.protocol) || portBounds(a.ports)[0] - portBounds(b.ports)[0]);
}

export function canonicalPorts(text: string): string {
  const [from, to] = portBounds(text);
  return from === to ? String(from) : `${from}-${to}`;
}

/** First and last port of `5432` or `6432-6439`; all ports for null. */
export function portBounds(ports: string | null): [from: number, to: number] {
  if (ports === null) return [0, 65535];
  const [from = 0, to = from] = ports.split('-').map(Number);
  return [from, to];
}

/** Whether some port of some protocol is in both. `all` meets every protocol. */
export function servicesMeet(a: Service, b: Service): boolean {
  if (a.protocol === null || b.protocol === null) return a.protocol === b.protocol;
  if (a.protocol !== b.protocol && a.protocol !== 'all' && b.protocol !== 'all') return false;
  const [[a0, a1], [b0, b1]] = [portBounds(a.ports), portBounds(b.ports)];
  return a0 <= b1 && b0 <= a1;
}

/**
 * The providers' own lock behind the guards: throws `write-refused` for anything shorter than /8 (IPv4) or /16
 * (IPv6), the open world included. Every adapter calls it with all that it is about to allow.
 */
export function refuseTooBroad(cidrs: readonly Cidr[], object: string): void {
  const broad = cidrs.find(isTooBroad);
  if (broad)
    throw new FatalError(
      'write-refused',
      `${broad} is broader than /${leastPrefix(broad)}: not written to ${object}`,
    );
}

/** Whether a prefix is so short that no target may ever be given it. */
export function isTooBroad(cidr: Cidr): boolean {
  return prefixLength(cidr) < leastPrefix(cidr);
}

function leastPrefix(cidr: Cidr): number {
  return familyOf(cidr) === 'ipv4' ? 8 : 16;
}
