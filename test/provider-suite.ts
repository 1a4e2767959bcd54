/**
 * The conformance suite that every provider passes. The test of an adapter says what its kind of object can do and
 * gives a function that makes a fresh {@link Fixture} for each test:
 *
 *     providerSuite('file (text)', { atomic: true, … }, () => makeFileFixture('text'));
 *
 * The suite drives nothing but `read` and `write`, in the core's order, and looks at the object from outside.
 */
import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Change, Identity, Opened, Service } from '../providers/provider.ts';
import { isOurs } from '../providers/provider.ts';
import { type Cidr, familyOf, sortCidrs, toCidr } from '../src/cidr.ts';
import type { Fault } from '../src/emulators/server.ts';
import { CatalogueError, FatalError } from '../src/errors.ts';
import { changesFor, converge, keyOf, type Wanted, wantedOf } from './support/converge.ts';
import { type Allowed, CASE_KEYS, type Capabilities, type CaseKey, type Fixture } from './support/fixture.ts';
import { type TestIo, type TestIoOptions, testIo } from './support/io.ts';

export type { Allowed, Capabilities, CaseKey, Fixture } from './support/fixture.ts';

export const US: Identity = { owner: 'acme-prod', target: 'orders-db', previousNames: [] };

/** The published list, in the order in which the page has it. */
const PUBLISHED: readonly Cidr[] =
  `35.230.127.150 35.203.151.101 34.19.100.134 34.83.176.217 35.230.58.211 35.203.187.165
   35.185.209.55 34.127.88.74 34.127.0.121 35.230.78.192 35.247.110.67 35.197.92.111
   34.168.247.159 35.230.56.30 34.127.33.101 35.227.190.87 35.199.156.97 34.82.135.155`
    .split(/\s+/)
    .map(toCidr);
const A = toCidr('34.19.100.134');
const B = toCidr('35.230.127.150');
const C = toCidr('34.83.176.0/24');
const D = toCidr('34.168.247.159');
const V6 = ['2600:1900:4010:8a0::/64', '2600:1900:4020::1/128'].map(toCidr);
const HAND = toCidr('52.10.20.30');
/** Reads and writes of one pass that changes something, as design.md counts them. */
const LEAST = { atomic: 2, twoWrites: 4 };

/** What a case works with: one fresh object, and the tool opened on it. */
interface Kit {
  readonly fixture: Fixture;
  readonly services: readonly Service[];
  readonly first: Service;
  readonly opened: Opened;
  readonly io: TestIo;
  /** Opens the object again, as another run does, perhaps as somebody else. */
  open(identity?: Identity, options?: TestIoOptions): Promise<{ opened: Opened; io: TestIo }>;
  wanted(cidrs: readonly Cidr[]): Wanted[];
  /** One pass; after it the object is asked from outside. */
  sync(cidrs: readonly Cidr[], opened?: Opened, identity?: Identity): Promise<void>;
  /** What the object allows, from outside, as sorted keys. */
  outside(): Promise<string[]>;
  /** Ends the case as skipped, with the reason. */
  skip(reason: string): never;
}

export function providerSuite(
  name: string,
  capabilities: Capabilities,
  makeFixture: () => Promise<Fixture>,
): void {
  const { atomic, ownership, families, adopts } = capabilities;
  const runs = capabilities.runs ?? 10;
  const waits = new Set(capabilities.waits);
  const list = families.includes('ipv6') ? [...PUBLISHED, ...V6] : PUBLISHED;
  const differences = new Map(Object.entries(capabilities.differences ?? {}));

  /** One case of the suite; skipped, saying why, where the kind of object or the service under test lacks it. */
  function proves(key: CaseKey, title: string, body: (kit: Kit) => Promise<void>, lacks?: string | false) {
    const reason = differences.get(key) ?? (lacks || undefined);
    if (reason) {
      test.skip(`${title} (${key}: ${reason})`, () => {});
      return;
    }
    test(title, { timeout: 120_000 }, async ({ skip }) => {
      const fixture = await makeFixture();
      try {
        await body({ ...(await makeKit(fixture)), skip: (why) => skip(`${key}: ${why}`) });
      } finally {
        await fixture.close();
      }
    });
  }

  async function makeKit(fixture: Fixture): Promise<Omit<Kit, 'skip'>> {
    const { provider, services, baseDir = tmpdir(), env = {} } = fixture;
    const [first] = services;
    if (!first) throw new Error('a fixture needs a service');
    const open: Kit['open'] = async (identity = US, options = {}) => {
      const io = testIo({ env, ...options });
      const spec = { identity, options: provider.options.parse(fixture.options), baseDir };
      return { opened: await provider.open(spec, io), io };
    };
    const { opened, io } = await open(US, { deadlineMs: Number.POSITIVE_INFINITY });
    const wanted = (cidrs: readonly Cidr[]) => wantedOf(cidrs, services);
    return {
      ...{ fixture, services, first, opened, io, open, wanted },
      sync: (cidrs, through = opened, identity = US) => converge(through, provider, identity, wanted(cidrs)),
      outside: async () => keys(await fixture.current()),
    };
  }

  describe(`provider: ${name}`, () => {
    test('its capabilities are those of the adapter, and differences name cases', async () => {
      const fixture = await makeFixture();
      expect(fixture.provider).toMatchObject({ atomic, adopts });
      await fixture.close();
      for (const key of differences.keys()) expect(CASE_KEYS).toContain(key);
    });

    proves('fresh', 'a fresh object reads as empty', async ({ opened, outside }) => {
      expect((await opened.read()).entries).toEqual([]);
      expect(await outside()).toEqual([]);
    });

    proves(
      'describe',
      'it tells object and services without a request',
      async ({ fixture, io, services }) => {
        const { provider, baseDir = tmpdir() } = fixture;
        const options = provider.options.parse(fixture.options);
        const described = provider.describe({ identity: US, options, baseDir });
        expect(described.services).toEqual(services);
        expect(described.object).not.toBe('');
        expect(described.account).not.toBe('');
        const renamed = provider.describe({ identity: { ...US, target: 'renamed' }, options, baseDir });
        expect(renamed).toEqual(described);
        expect(io.operations).toEqual([]);
      },
    );

    proves('read-back', 'what was written is read back, owned and canonical', async (kit) => {
      await kit.sync(list);
      const { entries } = await kit.opened.read();
      expect(keys(entries)).toEqual(keys(kit.wanted(list)));
      expect(await kit.outside()).toEqual(keys(kit.wanted(list)));
      for (const entry of entries) {
        expect(toCidr(entry.cidr)).toBe(entry.cidr);
        expect(isOurs(entry.marker, US)).toBe(true);
        expect(entry.id).not.toBe('');
      }
    });

    proves('twice', 'a second pass finds nothing to do and writes nothing', async (kit) => {
      await kit.sync(list);
      const again = await kit.open();
      expect(changesFor(kit.wanted(list), await again.opened.read(), US)).toEqual([]);
      await kit.sync([...list].reverse(), again.opened);
      expect(again.io.operations).toHaveLength(2);
    });

    proves(
      'unowned',
      'entries that somebody made by hand are shown as such and survive every write, identical ones included',
      async (kit) => {
        await kit.fixture.addByHand(HAND, kit.first);
        await kit.fixture.addByHand(A, kit.first);
        const hand = [HAND, A].map((cidr) => keyOf({ ...kit.first, cidr })).sort();
        await kit.sync([A, B]);
        expect(await kit.outside()).toEqual([...new Set([...hand, ...keys(kit.wanted([A, B]))])].sort());
        const { entries } = await kit.opened.read();
        expect(keys(entries.filter((entry) => entry.marker === null))).toEqual(hand);
        await kit.sync([B]);
        await kit.sync([]);
        expect(await kit.outside()).toEqual(hand);
      },
      ownership === 'object' && 'one marker speaks for the whole object',
    );

    proves(
      'other-marker',
      "entries with another owner's or another target's marker are not ours and survive every write",
      async (kit) => {
        const theirs = { owner: 'somebody-else', target: US.target };
        const another = { owner: US.owner, target: 'another-target' };
        await kit.fixture.addByHand(HAND, kit.first, theirs);
        await kit.fixture.addByHand(B, kit.first, another);
        const { entries } = await kit.opened.read();
        expect(entries.find((entry) => entry.cidr === HAND)?.marker).toEqual(theirs);
        expect(entries.find((entry) => entry.cidr === B)?.marker).toEqual(another);
        await kit.sync([A]);
        await kit.sync([]);
        expect(await kit.outside()).toEqual([HAND, B].map((cidr) => keyOf({ ...kit.first, cidr })).sort());
      },
      ownership === 'object' && 'one marker speaks for the whole object',
    );

    for (const marker of [undefined, { owner: 'somebody-else', target: US.target }]) {
      proves(
        'somebody-elses-object',
        `an object ${marker ? "with another owner's marker" : 'without a marker'} is not ours and is left alone`,
        async (kit) => {
          await kit.fixture.addByHand(B, kit.first, marker);
          const before = await kit.outside();
          const entries = await kit.opened.read().then((snapshot) => snapshot.entries, refused('not-owned'));
          expect((entries ?? []).filter((entry) => isOurs(entry.marker, US))).toEqual([]);
          await kit.sync([A]).catch(refused('not-owned'));
          expect(await kit.outside()).toEqual(before);
        },
        ownership === 'entry' && 'each entry has its own marker',
      );
    }

    proves(
      'previous-name',
      'what was written under a previous name is ours, and without it is not',
      async (kit) => {
        const old = { ...US, target: 'old-name' };
        await kit.sync([A, B], (await kit.open(old)).opened, old);
        const stranger = await kit.opened.read().then((snapshot) => snapshot.entries, refused('not-owned'));
        expect((stranger ?? []).filter((entry) => isOurs(entry.marker, US))).toEqual([]);
        const renamed = { ...US, previousNames: ['old-name'] };
        const { opened } = await kit.open(renamed);
        const changes = changesFor(kit.wanted([A, B]), await opened.read(), renamed);
        expect(changes.filter((change) => change.action !== 'update')).toEqual([]);
        await kit.sync([A, C], opened, renamed);
        expect(await kit.outside()).toEqual(keys(kit.wanted([A, C])));
      },
    );

    proves('exact-removal', 'a removal takes what it is given and nothing else', async (kit) => {
      await kit.sync([A, B, C]);
      const snapshot = await kit.opened.read();
      const gone = snapshot.entries.filter((entry) => entry.cidr === B);
      await kit.opened.write(
        gone.map((entry): Change => ({ action: 'remove', entry })),
        snapshot,
      );
      expect(await kit.outside()).toEqual(keys(kit.wanted([A, C])));
    });

    proves('order', 'the order in which addresses come does not matter', async (kit) => {
      const some = list.slice(-5);
      await fc.assert(
        fc.asyncProperty(fc.shuffledSubarray(some, { minLength: some.length }), async (shuffled) => {
          await kit.sync([]);
          await kit.sync(shuffled);
          expect(await kit.outside()).toEqual(keys(kit.wanted(some)));
        }),
        { numRuns: Math.min(runs, 5) },
      );
    });

    proves('batch', '18 addresses are one write', async (kit) => {
      const snapshot = await kit.opened.read();
      const before = kit.io.operations.length;
      await kit.opened.write(changesFor(kit.wanted(PUBLISHED), snapshot, US), snapshot);
      expect(counted(kit.io.operations.slice(before), waits)).toHaveLength(1);
      expect(await kit.outside()).toEqual(keys(kit.wanted(PUBLISHED)));
    });

    proves('cost-in-sync', 'being in sync costs one read', async (kit) => {
      await kit.sync(PUBLISHED);
      const { opened, io } = await kit.open();
      await kit.sync(PUBLISHED, opened);
      expect(io.operations).toHaveLength(1);
    });

    proves(
      'cost-change',
      `a change costs ${atomic ? 'one read and one write' : 'one read, one batched add, one proving read, one batched remove'}`,
      async (kit) => {
        await kit.sync([A, B, D]);
        const { opened, io } = await kit.open();
        await kit.sync([A, C, HAND], opened);
        expect(counted(io.operations, waits)).toHaveLength(atomic ? LEAST.atomic : LEAST.twoWrites);
        expect(await kit.outside()).toEqual(keys(kit.wanted([A, C, HAND])));
      },
    );

    proves('nothing-to-do', 'a write without changes makes no request', async (kit) => {
      const snapshot = await kit.opened.read();
      const before = kit.io.operations.length;
      await kit.opened.write([], snapshot);
      expect(kit.io.operations).toHaveLength(before);
    });

    proves('missing', 'a missing object is a fatal error that names it', async ({ fixture, io, skip }) => {
      const { provider, missing, baseDir = tmpdir() } = fixture;
      if (!missing) return skip('the object can always be had');
      const options = provider.options.parse({ ...fixture.options, ...missing.options });
      const opened = await provider.open({ identity: US, options, baseDir }, io);
      const error = await opened.read().then(
        () => expect.unreachable('it was read'),
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(FatalError);
      expect(error).toMatchObject({ code: 'target-missing' });
      expect(String(error)).toContain(missing.mention);
    });

    proves('lock', 'the open world and whatever is nearly so are refused without a request', async (kit) => {
      await kit.sync([A]);
      const snapshot = await kit.opened.read();
      const before = kit.io.operations.length;
      const broad = ['0.0.0.0/0', '34.0.0.0/7', '::/0', '2600::/15'].map(toCidr);
      for (const cidr of broad) {
        if (!families.includes(familyOf(cidr))) continue;
        const changes = kit.wanted([B, cidr]).map((entry): Change => ({ action: 'add', entry }));
        await expect(kit.opened.write(changes, snapshot)).rejects.toMatchObject({ code: 'write-refused' });
      }
      expect(kit.io.operations).toHaveLength(before);
      expect(await kit.outside()).toEqual(keys(kit.wanted([A])));
    });

    proves(
      'mark',
      'an entry that somebody made can be taken over without a moment of closing it',
      async (kit) => {
        await kit.fixture.addByHand(A, kit.first);
        const watched = await watch(kit, (view) => expect(view).toEqual([keyOf({ ...kit.first, cidr: A })]));
        const snapshot = await watched.opened.read();
        const marks = snapshot.entries.map((entry): Change => ({ action: 'mark', entry }));
        await watched.opened.write(marks, snapshot);
        const { entries } = await watched.opened.read();
        watched.verdict();
        expect(entries).toHaveLength(1);
        for (const entry of entries) expect(isOurs(entry.marker, US)).toBe(true);
      },
      adopts !== 'entry' && 'single entries cannot be adopted',
    );

    proves(
      'boundaries',
      'at no request boundary does a still-wanted address lose access, nor does one appear that was never given',
      async (kit) => {
        const pool = [...list.slice(0, 3), ...list.slice(-3)];
        const lists = fc.array(fc.subarray(pool), { minLength: 1, maxLength: 3 });
        const hands = fc.array(fc.option(fc.constantFrom(HAND, A, ...pool.slice(0, 2))), { maxLength: 3 });
        await fc.assert(
          fc.asyncProperty(lists, hands, async (sequence, byHand) => {
            await kit.sync([]);
            for (const cidr of sortCidrs((await kit.fixture.current()).map(({ cidr }) => toCidr(cidr))))
              await kit.fixture.removeByHand(cidr);
            const unowned = new Set<string>();
            for (const [step, cidrs] of sequence.entries()) {
              const extra = byHand[step];
              const there = await kit.outside();
              const somewhere = ownership === 'entry' || there.some((key) => !key.includes(':'));
              if (extra && somewhere && !there.includes(keyOf({ ...kit.first, cidr: extra }))) {
                await kit.fixture.addByHand(extra, kit.first);
                if (ownership === 'entry') unowned.add(keyOf({ ...kit.first, cidr: extra }));
              }
              await watchedSync(kit, cidrs, unowned);
            }
          }),
          { numRuns: runs },
        );
      },
    );

    proves(
      'stopped',
      'a run that is killed before or after any request harms nobody, and the next one ends in sync',
      async (kit) => {
        for (const when of ['before', 'after'] as const) {
          for (let at = 0, reached = true; reached; at += 1) {
            await kit.sync([A, B]);
            reached = false;
            const kill = (_: string, index: number) => {
              if (index < at) return;
              reached = true;
              throw new Error('killed');
            };
            const options = when === 'before' ? { beforeAttempt: kill } : { afterAttempt: kill };
            const { opened } = await kit.open(US, options);
            await kit
              .sync([A, C, D], opened)
              .catch((error: unknown) => expect(reached, String(error)).toBe(true));
            expect(await kit.outside()).toEqual(expect.arrayContaining(keys(kit.wanted([A]))));
            await watchedSync(kit, [A, C, D]);
          }
        }
      },
    );

    proves(
      'faults',
      'a fault before or after any request is got over, and the run ends in sync',
      async (kit) => {
        const { inject } = kit.fixture;
        if (!inject) return kit.skip('faults cannot be injected into this service');
        for (const fault of FAULTS) {
          for (let at = 0, reached = true; reached; at += 1) {
            inject(undefined);
            await kit.sync([A, B]);
            let seen = 0;
            reached = false;
            inject(() => {
              seen += 1;
              if (seen !== at + 1) return undefined;
              reached = true;
              return fault;
            });
            await watchedSync(kit, [A, C, D]).catch((error: unknown) => {
              if (!(error instanceof CatalogueError) || fault.kind !== 'garbage') throw error;
            });
            inject(undefined);
            await watchedSync(kit, [A, C, D]);
          }
        }
      },
    );

    for (const race of RACES) {
      proves('second-writer', `between read and write ${race.title}, and it ends in sync`, async (kit) => {
        for (const nth of atomic ? [1] : [1, 2]) {
          await kit.sync([A, B]);
          for (const { cidr } of await kit.fixture.current())
            if (cidr !== A && cidr !== B) await kit.fixture.removeByHand(cidr);
          const { opened } = await kit.open();
          let writes = 0;
          const raced: Opened = {
            read: () => opened.read(),
            write: async (changes, snapshot) => {
              writes += 1;
              if (writes === nth) await race.edit(kit);
              await opened.write(changes, snapshot);
            },
          };
          await kit.sync([A, C, D], raced);
          // Without a version to hold a write against, what is done after the proof is left to the next pass.
          if (nth === 2) await kit.sync([A, C, D]);
          const unowned =
            ownership === 'entry' ? race.unowned.map((cidr) => keyOf({ ...kit.first, cidr })) : [];
          const expected = new Set([...keys(kit.wanted([A, C, D])), ...unowned]);
          expect(await kit.outside()).toEqual([...expected].sort());
        }
      });
    }
  });
}

const FAULTS: readonly Fault[] = (
  ['reset', 'server-error', 'unavailable', 'throttle', 'garbage'] as const
).flatMap((kind) => [
  { kind, when: 'before' },
  { kind, when: 'after' },
]);

/** What somebody else may do between our read and our write, on the way from A, B to A, C, D. */
const RACES: readonly { title: string; unowned: readonly Cidr[]; edit(kit: Kit): Promise<void> }[] = [
  {
    title: 'somebody adds the very address that we are about to add',
    unowned: [C],
    edit: async ({ fixture, first }) => {
      const there = await fixture.current();
      if (!there.some(({ cidr }) => cidr === C)) await fixture.addByHand(C, first);
    },
  },
  {
    title: 'somebody adds an address that is nothing to us',
    unowned: [HAND],
    edit: ({ fixture, first }) => fixture.addByHand(HAND, first),
  },
  {
    title: 'somebody takes the very address away that we are about to take away',
    unowned: [],
    edit: ({ fixture }) => fixture.removeByHand(B),
  },
  {
    title: 'somebody takes an address away that must stay',
    unowned: [],
    edit: ({ fixture }) => fixture.removeByHand(A),
  },
  {
    title: 'a second copy of the tool does the same work',
    unowned: [],
    edit: async (kit) => kit.sync([A, C, D], (await kit.open()).opened),
  },
];

function keys(entries: readonly Allowed[]): string[] {
  return entries.map(keyOf).sort();
}

function counted(operations: readonly string[], waits: ReadonlySet<string>): string[] {
  return operations.filter((operation) => !waits.has(operation));
}

/** Lets exactly one kind of refusal pass. */
function refused(code: string): (error: unknown) => undefined {
  return (error) => {
    expect(error).toBeInstanceOf(FatalError);
    expect(error).toMatchObject({ code });
    return undefined;
  };
}

/** Opens the object so that `look` sees it at every request boundary; `verdict` throws what `look` threw first. */
async function watch(kit: Kit, look: (view: string[]) => void) {
  const failures: unknown[] = [];
  let watching = true;
  const record = (allowed: readonly Allowed[]) => {
    if (!watching) return;
    try {
      look(keys(allowed));
    } catch (error) {
      failures.push(error);
    }
  };
  kit.fixture.onRequest?.(record);
  const afterAttempt = async () => record(await kit.fixture.current());
  const { opened } = await kit.open(US, kit.fixture.onRequest ? {} : { afterAttempt });
  return {
    opened,
    verdict: () => {
      watching = false;
      if (failures.length > 0) throw failures[0];
    },
  };
}

/** One pass under watch: what is allowed and still wanted stays, what appears was given, and the end is in sync. */
async function watchedSync(kit: Kit, cidrs: readonly Cidr[], unowned: ReadonlySet<string> = new Set()) {
  const before = await kit.outside();
  const after = [...new Set([...keys(kit.wanted(cidrs)), ...unowned])].sort();
  const stays = before.filter((key) => after.includes(key));
  const may = new Set([...before, ...after]);
  const { opened, verdict } = await watch(kit, (view) => {
    expect(view).toEqual(expect.arrayContaining(stays));
    for (const key of view) expect(may).toContain(key);
  });
  try {
    await kit.sync(cidrs, opened);
  } finally {
    verdict();
  }
  expect(await kit.outside()).toEqual(after);
}
