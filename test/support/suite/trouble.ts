import fc from 'fast-check';
import { expect } from 'vitest';
import type { Opened } from '../../../providers/provider.ts';
import { sortCidrs, toCidr } from '../../../src/cidr.ts';
import type { Fault } from '../../../src/emulators/server.ts';
import { CatalogueError } from '../../../src/errors.ts';
import { keyOf } from '../converge.ts';
import type { Capabilities } from '../fixture.ts';
import { A, B, C, type Case, D, HAND, type Kit, keys, listFor, US, watchedSync } from './kit.ts';

const NO_FAULTS = 'this service cannot be told to fail';
const KINDS = ['reset', 'server-error', 'unavailable', 'throttle', 'garbage'] as const;
const FAULTS: readonly Fault[] = KINDS.flatMap((kind) => [
  { kind, when: 'before' },
  { kind, when: 'after' },
]);

/** Whatever happens on the way: nobody loses access, nobody gains it, and the next pass ends in sync. */
export function troubleCases(capabilities: Capabilities): Case[] {
  const { atomic, ownership, runs = 10 } = capabilities;
  const list = listFor(capabilities);
  const pool = [...list.slice(0, 3), ...list.slice(-3)];
  const lists = fc.array(fc.subarray(pool), { minLength: 1, maxLength: 3 });
  return [
    {
      key: 'boundaries',
      title:
        'at no request boundary does a still-wanted address lose access, nor does one appear that was never given',
      run: async (kit) => {
        const hands = fc.array(fc.option(fc.constantFrom(HAND, A, ...pool.slice(0, 2))), { maxLength: 3 });
        await fc.assert(
          fc.asyncProperty(lists, hands, async (sequence, byHand) => {
            await empty(kit);
            const unowned = new Set<string>();
            for (const [step, cidrs] of sequence.entries()) {
              const extra = byHand[step];
              const there = await kit.outside();
              // Into an object of ours: one that a person made for it would be somebody else's.
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
    },
    {
      key: 'stopped',
      title: 'a run that is killed before or after any request harms nobody, and the next one ends in sync',
      run: async (kit) => {
        for (const when of ['beforeAttempt', 'afterAttempt'] as const) {
          for (let at = 0, reached = true; reached; at += 1) {
            await kit.sync([A, B]);
            reached = false;
            const kill = (_: string, index: number) => {
              if (index < at) return;
              reached = true;
              throw new Error('killed');
            };
            const { opened } = await kit.open(US, { [when]: kill });
            await kit.sync([A, C, D], opened).catch((error: unknown) => {
              if (!reached) throw error;
            });
            expect(await kit.outside()).toEqual(expect.arrayContaining(keys(kit.wanted([A]))));
            await watchedSync(kit, [A, C, D]);
          }
        }
      },
    },
    {
      key: 'faults',
      title: 'a fault before or after any request is got over, and the run ends in sync',
      run: async (kit) => {
        const { inject } = kit.fixture;
        if (!inject) return kit.skip(NO_FAULTS);
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
    },
    {
      key: 'storm',
      title: 'with a third of all requests failing no run does harm, and the first quiet one ends in sync',
      run: async (kit) => {
        const { inject } = kit.fixture;
        if (!inject) return kit.skip(NO_FAULTS);
        const weather = fc.infiniteStream(
          fc.oneof(
            { weight: 2, arbitrary: fc.constant(undefined) },
            { weight: 1, arbitrary: fc.constantFrom(...FAULTS) },
          ),
        );
        await fc.assert(
          fc.asyncProperty(lists, weather, async (sequence, faults) => {
            inject(undefined);
            await empty(kit);
            for (const cidrs of sequence) {
              inject(() => faults.next().value);
              await watchedSync(kit, cidrs).catch((error: unknown) => {
                if (!(error instanceof CatalogueError)) throw error;
              });
              inject(undefined);
              await watchedSync(kit, cidrs);
            }
          }),
          { numRuns: runs },
        );
      },
    },
    ...RACES.map(
      (race): Case => ({
        key: 'second-writer',
        title: `between read and write ${race.title}, and it ends in sync`,
        run: async (kit) => {
          for (const nth of atomic ? [1] : [1, 2]) {
            await empty(kit);
            await kit.sync([A, B]);
            await kit.sync([A, C, D], await raced(kit, race, nth));
            // Without a version to hold a write against, what is done after the proof is left to the next pass.
            if (nth === 2) await kit.sync([A, C, D]);
            const unowned = ownership === 'entry' ? race.unowned : [];
            const expected = [
              ...keys(kit.wanted([A, C, D])),
              ...unowned.map((cidr) => keyOf({ ...kit.first, cidr })),
            ];
            expect(await kit.outside()).toEqual([...new Set(expected)].sort());
          }
        },
      }),
    ),
  ];
}

interface Race {
  /** Fits between "between read and write" and "and it ends in sync". */
  readonly title: string;
  /** What stays in the end because it is not ours. */
  readonly unowned: readonly (typeof A)[];
  edit(kit: Kit): Promise<void>;
}

/** What somebody else may do between our read and our write, on the way from A, B to A, C, D. */
const RACES: readonly Race[] = [
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

/** The object opened so that the race is run just before the nth write. */
async function raced(kit: Kit, race: Race, nth: number): Promise<Opened> {
  const { opened } = await kit.open();
  let writes = 0;
  return {
    read: () => opened.read(),
    write: async (changes, snapshot) => {
      writes += 1;
      if (writes === nth) await race.edit(kit);
      await opened.write(changes, snapshot);
    },
  };
}

/** Takes away what is ours, then what is not. */
async function empty(kit: Kit): Promise<void> {
  await kit.sync([]);
  for (const cidr of sortCidrs((await kit.fixture.current()).map((allowed) => toCidr(allowed.cidr))))
    await kit.fixture.removeByHand(cidr);
}
