import { expect } from 'vitest';
import { type Change, isOurs, type Marker } from '../../../providers/provider.ts';
import { changesFor, keyOf } from '../converge.ts';
import type { Capabilities } from '../fixture.ts';
import { A, B, C, type Case, D, HAND, keys, refused, US, watch } from './kit.ts';

/** Markers that are not ours, though a substring of them is, or they are one of ours. */
const NEARLY_OURS: readonly Marker[] = [
  { owner: `${US.owner}-2`, target: US.target },
  { owner: US.owner, target: `${US.target}-2` },
  { owner: 'acme', target: US.target },
  { owner: US.owner, target: 'orders' },
];

/** Only what carries exactly our marker is ours. */
export function ownershipCases({ ownership, adopts }: Capabilities): Case[] {
  const lacksEntries = ownership === 'object' ? 'one marker speaks for the whole object' : undefined;
  const lacksObject = ownership === 'entry' ? 'each entry has its own marker' : undefined;
  return [
    {
      key: 'unowned',
      title:
        'entries that somebody made by hand are shown as such and survive every write, identical ones included',
      lacks: lacksEntries,
      run: async (kit) => {
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
    },
    {
      key: 'other-marker',
      title: 'entries with the marker of another owner or target are not ours and survive every write',
      lacks: lacksEntries,
      run: async (kit) => {
        const theirs = new Map([HAND, B, C, D].map((cidr, index) => [cidr, NEARLY_OURS[index]] as const));
        for (const [cidr, marker] of theirs) await kit.fixture.addByHand(cidr, kit.first, marker);
        const { entries } = await kit.opened.read();
        for (const { cidr, marker } of entries) expect(marker).toEqual(theirs.get(cidr));
        await kit.sync([A]);
        await kit.sync([]);
        expect(await kit.outside()).toEqual(
          [...theirs.keys()].map((cidr) => keyOf({ ...kit.first, cidr })).sort(),
        );
      },
    },
    ...[undefined, ...(lacksObject ? [] : NEARLY_OURS)].map(
      (marker): Case => ({
        key: 'somebody-elses-object',
        title: `an object ${marker ? `of ${marker.owner}/${marker.target}` : 'without a marker'} is not ours and is left alone`,
        lacks: lacksObject,
        run: async (kit) => {
          await kit.fixture.addByHand(B, kit.first, marker);
          const before = await kit.outside();
          const entries = await kit.opened.read().then((snapshot) => snapshot.entries, refused('not-owned'));
          expect((entries ?? []).filter((entry) => isOurs(entry.marker, US))).toEqual([]);
          await kit.sync([A]).catch(refused('not-owned'));
          await kit.sync([]).catch(refused('not-owned'));
          expect(await kit.outside()).toEqual(before);
        },
      }),
    ),
    {
      key: 'previous-name',
      title: 'what was written under a previous name is ours, and without it is not',
      run: async (kit) => {
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
    },
    {
      key: 'mark',
      title: 'an entry that somebody made can be taken over without a moment of closing it',
      lacks: adopts === 'entry' ? undefined : 'single entries cannot be adopted',
      run: async (kit) => {
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
    },
  ];
}
