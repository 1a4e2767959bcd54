import type {
  Capacity,
  Change,
  Entry,
  Marker,
  Opened,
  Service,
  Setting,
  Snapshot,
} from '../../providers/provider.ts';
import { type Cidr, toCidr } from '../../src/cidr.ts';
import { entryKey } from '../../src/entries.ts';
import { ConflictError } from '../../src/errors.ts';

export const US: Marker = { owner: 'acme', target: 'orders' };
export const IDENTITY = { ...US, previousNames: ['orders-old'] };
export const TCP: Service = { protocol: 'tcp', ports: '5432' };

export interface ObjectOptions {
  /** One write replaces everything, and only what was read may be replaced. */
  readonly atomic?: boolean;
  /** How many entries fit; more are refused. */
  readonly limit?: number;
  /** After a write so many reads still show what was there before it. */
  readonly lag?: number;
  readonly settings?: readonly Setting[];
  /**
   * Called around every step with its place in the life of the object, from inside it: a person may change the object
   * there, and what is thrown there is a fault; `before` nothing took effect, `after` only the answer is lost.
   */
  readonly at?: (moment: 'before' | 'after', step: 'read' | 'write', object: FirewallObject) => void;
}

/** A firewall in memory that refuses what real ones refuse: duplicates, unknown ids, too many, lost races. */
export interface FirewallObject extends Opened {
  /** All steps so far: `read`, `write +2 -1`. */
  readonly log: readonly string[];
  entries(): readonly Entry[];
  allowed(): Set<string>;
  /** By hand; nothing happens when it is there already. */
  add(cidr: string, marker?: Marker | null, service?: Service): void;
  /** By hand. */
  remove(cidr: string): void;
  /** By hand: another marker on what is there. */
  mark(cidr: string, marker: Marker | null): void;
}

export function firewallObject(options: ObjectOptions = {}): FirewallObject {
  const { atomic = false, limit, lag = 0, at } = options;
  let entries: readonly Entry[] = [];
  let settings = options.settings ?? [];
  let made = 0;
  let past: { entries: readonly Entry[]; reads: number }[] = [];
  const log: string[] = [];
  const readAs = new WeakMap<Snapshot, readonly Entry[]>();

  const newEntry = (cidr: Cidr, marker: Marker | null, { protocol, ports }: Service): Entry => {
    made += 1;
    return { cidr, protocol, ports, marker, id: `rule-${made}`, description: marker ? '' : 'by hand' };
  };
  const has = (key: string) => entries.some((entry) => entryKey(entry) === key);

  function add(changes: readonly Change[]): readonly Entry[] {
    const wanted = changes.flatMap((change) => (change.action === 'add' ? [change.entry] : []));
    if (wanted.some((entry) => has(entryKey(entry)))) throw new ConflictError('an entry is there already');
    return wanted.map((entry) => newEntry(entry.cidr, US, entry));
  }

  function carryOut(changes: readonly Change[], snapshot: Snapshot): void {
    if (atomic && readAs.get(snapshot) !== entries) throw new ConflictError('it is no longer as it was read');
    const removed = new Set(changes.flatMap((one) => (one.action === 'remove' ? [one.entry.id] : [])));
    const marked = new Set(changes.flatMap((one) => (one.action === 'mark' ? [one.entry.id] : [])));
    const ids = new Set(entries.map(({ id }) => id));
    if (![...removed, ...marked].every((id) => ids.has(id))) throw new ConflictError('an entry is gone');
    const added = add(changes);
    const after = [...entries, ...added]
      .filter(({ id }) => !removed.has(id))
      .map((entry) => (marked.has(entry.id) ? { ...entry, marker: US } : entry));
    // What replaces everything at once never holds old and new together.
    const peak = atomic ? after.length : entries.length + added.length;
    if (limit !== undefined && added.length > 0 && peak > limit) throw new Error('the object is full');
    const updated = new Set(changes.flatMap((one) => (one.action === 'update' ? [one.setting.field] : [])));
    if (lag > 0) past.push({ entries, reads: lag });
    entries = after;
    settings = settings.map((one) => (updated.has(one.field) ? { ...one, actual: one.desired } : one));
  }

  const capacity = (seen: readonly Entry[]): Capacity[] =>
    limit === undefined ? [] : [{ scope: 'all', used: seen.length, limit }];

  const object: FirewallObject = {
    log,
    async read() {
      log.push('read');
      at?.('before', 'read', object);
      const seen = past[0]?.entries ?? entries;
      past = past.flatMap((old) => (old.reads > 1 ? [{ ...old, reads: old.reads - 1 }] : []));
      const snapshot = { entries: seen, beside: [], settings, capacity: capacity(seen), warnings: [] };
      readAs.set(snapshot, seen);
      at?.('after', 'read', object);
      return snapshot;
    },
    async write(changes, snapshot) {
      const count = (action: Change['action'], sign: string) => {
        const n = changes.filter((change) => change.action === action).length;
        return n > 0 ? ` ${sign}${n}` : '';
      };
      log.push(
        `write${count('add', '+')}${count('mark', '=')}${count('update', '~')}${count('remove', '-')}`,
      );
      at?.('before', 'write', object);
      carryOut(changes, snapshot);
      at?.('after', 'write', object);
    },
    entries: () => entries,
    allowed: () => new Set(entries.map(({ cidr }) => cidr)),
    add: (cidr, marker = null, service = TCP) => {
      const entry = newEntry(toCidr(cidr), marker, service);
      if (!has(entryKey(entry))) entries = [...entries, entry];
    },
    remove: (cidr) => {
      entries = entries.filter((entry) => entry.cidr !== cidr);
    },
    mark: (cidr, marker) => {
      entries = entries.map((entry) => (entry.cidr === cidr ? { ...entry, marker } : entry));
    },
  };
  return object;
}
