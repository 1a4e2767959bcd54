import { z } from 'zod';
import {
  type Change,
  defineProvider,
  type Entry,
  formatMarker,
  type Identity,
  type Io,
  markerOf,
  type Opened,
  type Provider,
  parseMarker,
  refuseTooBroad,
  type Service,
} from '../../providers/provider.ts';
import { type Cidr, toCidr } from '../../src/cidr.ts';
import type { Fault, LoggedRequest } from '../../src/emulators/server.ts';
import { ConflictError, FatalError, TransientError } from '../../src/errors.ts';
import { keyOf } from './converge.ts';
import type { Allowed, Capabilities, CaseKey, Fixture } from './fixture.ts';

/** Mistakes that an adapter can make, and the case that is there to catch each. */
export const BUGS = {
  'reads what is missing as empty': 'missing',
  'reads the first page only': 'read-back',
  'leaves the prefix of single addresses out': 'read-back',
  'writes no marker': 'read-back',
  'takes a marker that begins like ours for ours': 'other-marker',
  'takes every entry for ours': 'unowned',
  'takes identical entries over silently': 'unowned',
  'removes by address instead of by id': 'unowned',
  'knows no previous names': 'previous-name',
  'takes everything out that it was not given': 'exact-removal',
  'empties the object before it adds': 'boundaries',
  'adds what is removed for a moment': 'boundaries',
  'writes one address a request': 'batch',
  'reads twice to be sure': 'cost-in-sync',
  'asks before every write': 'cost-change',
  'sends requests past the Io': 'cost-in-sync',
  'writes nothing with a request': 'nothing-to-do',
  'names the object after the target': 'describe',
  'writes the open world when told to': 'lock',
  'marks by removing and adding': 'mark',
  'takes a lost race for a failure': 'second-writer',
  'takes throttling for a failure': 'faults',
  'throws what is no error of the catalogue': 'storm',
  'replaces everything in two requests': 'stopped',
} as const satisfies Record<string, CaseKey>;

export type Bug = keyof typeof BUGS;

export const CAPABILITIES: Capabilities = {
  atomic: false,
  families: ['ipv4', 'ipv6'],
  ownership: 'entry',
  adopts: 'entry',
  supportsDescriptions: true,
  runs: 20,
};

const SERVICES: readonly Service[] = [
  { protocol: 'tcp', ports: '5432' },
  { protocol: 'tcp', ports: '6432' },
];
const PAGE = 10;

interface Rule extends Allowed {
  readonly id: string;
  readonly text: string;
}

/** A firewall in memory that refuses what real ones refuse: duplicates and unknown ids, the whole batch at once. */
function makeService() {
  let rules: readonly Rule[] = [];
  let made = 0;
  return {
    rules: () => rules,
    add: (batch: readonly (Allowed & { text: string })[]) => {
      const keys = [...rules, ...batch].map(keyOf);
      if (new Set(keys).size < keys.length) throw new ConflictError('a rule is there already');
      rules = [...rules, ...batch.map((rule) => ({ ...rule, id: `rule-${made++}` }))];
    },
    remove: (ids: readonly string[]) => {
      if (!ids.every((id) => rules.some((rule) => rule.id === id))) throw new ConflictError('a rule is gone');
      rules = rules.filter(({ id }) => !ids.includes(id));
    },
    retext: (ids: readonly string[], text: string) => {
      rules = rules.map((rule) => (ids.includes(rule.id) ? { ...rule, text } : rule));
    },
  };
}

/** An adapter for a firewall in memory, as it should be or with one bug, and its fixture. */
export async function memoryFixture(bug?: Bug): Promise<Fixture> {
  const service = makeService();
  let plan: ((request: LoggedRequest) => Fault | undefined) | undefined;
  let look: ((allowed: readonly Allowed[]) => void) | undefined;
  let received = 0;

  /** A request arrives, takes effect, is looked at, is answered. */
  function receive<T>(operation: string, work: () => T): T {
    const fault = plan?.({ index: received, operation, writes: operation !== 'list' });
    received += 1;
    try {
      if (fault?.when === 'before') throw failureOf(fault, bug);
      const answer = work();
      if (fault) throw failureOf(fault, bug);
      return answer;
    } finally {
      look?.(service.rules());
    }
  }

  const provider = makeProvider(bug, (options, identity, io) => {
    const send = <T>(operation: string, work: () => T) =>
      io.request(operation, async () => receive(operation, work));
    return openMemory({ bug, identity, exists: options.name === 'there', service, send, receive });
  });
  return {
    provider,
    options: { name: 'there' },
    services: SERVICES,
    missing: { options: { name: 'not-there' }, mention: 'not-there' },
    addByHand: async (cidr, { protocol, ports }, marker) =>
      service.add([{ cidr, protocol, ports, text: marker ? formatMarker(marker) : 'by hand' }]),
    removeByHand: async (cidr) =>
      service.remove(service.rules().flatMap((rule) => (rule.cidr === cidr ? rule.id : []))),
    current: async () => service.rules(),
    onRequest: (callback) => {
      look = callback;
    },
    inject: (wanted) => {
      plan = wanted;
    },
    close: async () => {},
  };
}

const optionsSchema = z.strictObject({ name: z.string() });
type Options = z.output<typeof optionsSchema>;

function makeProvider(
  bug: Bug | undefined,
  open: (options: Options, identity: Identity, io: Io) => Opened,
): Provider<Options> {
  return defineProvider<Options>({
    name: 'memory',
    options: optionsSchema,
    atomic: false,
    adopts: 'entry',
    describe: ({ options, identity }) => ({
      object: bug === 'names the object after the target' ? identity.target : `memory ${options.name}`,
      services: SERVICES,
      account: 'memory',
    }),
    open: async ({ options, identity }, io) => open(options, identity, io),
  });
}

interface Parts {
  readonly bug: Bug | undefined;
  readonly identity: Identity;
  readonly exists: boolean;
  readonly service: ReturnType<typeof makeService>;
  send<T>(operation: string, work: () => T): Promise<T>;
  receive<T>(operation: string, work: () => T): T;
}

function openMemory({ bug, identity, exists, service, send, receive }: Parts): Opened {
  const text = bug === 'writes no marker' ? '' : formatMarker(markerOf(identity));
  const has = (suspect: Bug) => bug === suspect;

  async function read() {
    const rules = await send('list', () => {
      if (!exists && !has('reads what is missing as empty'))
        throw new FatalError('target-missing', 'there is no firewall not-there');
      return service.rules();
    });
    if (has('reads twice to be sure')) await send('list', service.rules);
    if (has('sends requests past the Io')) receive('list', service.rules);
    const page = has('reads the first page only') ? rules.slice(0, PAGE) : rules;
    const entries = page.map((rule) => entryOf(rule, bug, identity));
    return { entries, beside: [], settings: [], capacity: [], warnings: [] };
  }

  async function add(cidrs: readonly Allowed[]) {
    const batches = has('writes one address a request') ? cidrs.map((one) => [one]) : [cidrs];
    for (const batch of batches)
      await send('add', () =>
        service.add(batch.map(({ cidr, protocol, ports }) => ({ cidr, protocol, ports, text }))),
      );
  }

  async function write(changes: readonly Change[]) {
    const added = changes.flatMap((change) => (change.action === 'add' ? [change.entry] : []));
    const removed = changes.flatMap((change) => (change.action === 'remove' ? [change.entry] : []));
    const marked = changes.flatMap((change) => (change.action === 'mark' ? [change.entry] : []));
    if (!has('writes the open world when told to'))
      refuseTooBroad(
        added.map(({ cidr }) => cidr),
        'memory',
      );
    if (has('writes nothing with a request') || has('asks before every write'))
      await send('list', service.rules);
    if (marked.length > 0) await mark(marked);
    if (added.length > 0) {
      const all = service.rules();
      const emptied = has('empties the object before it adds') || has('replaces everything in two requests');
      if (emptied) await removeIds(all.map(({ id }) => id));
      if (has('takes identical entries over silently'))
        service.retext(
          service.rules().map(({ id }) => id),
          text,
        );
      await add(has('replaces everything in two requests') ? [...all, ...added] : added);
    }
    if (removed.length > 0) {
      if (has('adds what is removed for a moment')) {
        const passing = { cidr: '198.51.100.0/24', protocol: 'tcp', ports: '1' };
        await add([passing]);
        await removeIds(service.rules().flatMap(({ id, ports }) => (ports === '1' ? id : [])));
      }
      await removeIds(idsToRemove(removed));
    }
  }

  function idsToRemove(removed: readonly Entry[]): string[] {
    const ids = removed.map(({ id }) => id);
    if (has('removes by address instead of by id'))
      return service
        .rules()
        .flatMap(({ id, cidr }) => (removed.some((entry) => entry.cidr === cidr) ? id : []));
    if (has('takes everything out that it was not given'))
      return service.rules().flatMap(({ id }) => (ids.includes(id) ? [] : id));
    return ids;
  }

  async function removeIds(ids: readonly string[]) {
    await send('remove', () => service.remove(ids));
  }

  async function mark(entries: readonly Entry[]) {
    const ids = entries.map(({ id }) => id);
    if (!has('marks by removing and adding')) return send('mark', () => service.retext(ids, text));
    await removeIds(ids);
    await add(entries);
  }

  return {
    read,
    write: async (changes) => {
      if (changes.length === 0 && !has('writes nothing with a request')) return;
      try {
        await write(changes);
      } catch (error) {
        if (error instanceof ConflictError && has('takes a lost race for a failure'))
          throw new FatalError('request-refused', error.message);
        throw error;
      }
    },
  };
}

function entryOf({ id, cidr, protocol, ports, text }: Rule, bug: Bug | undefined, identity: Identity): Entry {
  const ours = markerOf(identity);
  let marker = parseMarker(text);
  if (bug === 'takes every entry for ours') marker = ours;
  if (bug === 'takes a marker that begins like ours for ours' && text.startsWith(formatMarker(ours)))
    marker = ours;
  if (bug === 'knows no previous names' && marker?.target !== ours.target) marker = null;
  return { id, protocol, ports, marker, cidr: cidrOf(cidr, bug), description: text };
}

function cidrOf(text: string, bug: Bug | undefined): Cidr {
  const cidr = toCidr(text);
  return bug === 'leaves the prefix of single addresses out' ? (cidr.replace('/32', '') as Cidr) : cidr;
}

function failureOf({ kind }: Fault, bug: Bug | undefined): Error {
  if (bug === 'throws what is no error of the catalogue') return new Error(kind);
  if (kind === 'garbage') return new FatalError('bad-answer', 'the answer is no answer');
  if (kind === 'throttle' && bug === 'takes throttling for a failure')
    return new FatalError('request-refused', 'too many requests');
  return new TransientError('unreachable', kind);
}
