import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { expect } from 'vitest';
import { type Change, isOurs } from '../../../providers/provider.ts';
import { toCidr } from '../../../src/cidr.ts';
import { changesFor } from '../converge.ts';
import type { Capabilities } from '../fixture.ts';
import { A, B, C, type Case, keys, listFor, US } from './kit.ts';

/** What is written is what is there, and what is there is what is read. */
export function contentsCases(capabilities: Capabilities): Case[] {
  const list = listFor(capabilities);
  return [
    {
      key: 'fresh',
      title: 'a fresh object reads as empty',
      run: async ({ opened, outside }) => {
        expect((await opened.read()).entries).toEqual([]);
        expect(await outside()).toEqual([]);
      },
    },
    {
      key: 'describe',
      title: 'it tells object and services without a request',
      run: async ({ fixture, io, services }) => {
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
    },
    {
      key: 'read-back',
      title: 'what was written is read back, owned and canonical',
      run: async (kit) => {
        await kit.sync(list);
        const { entries } = await kit.opened.read();
        expect(keys(entries)).toEqual(keys(kit.wanted(list)));
        expect(await kit.outside()).toEqual(keys(kit.wanted(list)));
        for (const entry of entries) {
          expect(toCidr(entry.cidr)).toBe(entry.cidr);
          expect(isOurs(entry.marker, US)).toBe(true);
          expect(entry.id).not.toBe('');
        }
      },
    },
    {
      key: 'twice',
      title: 'a second pass finds nothing to do and writes nothing',
      run: async (kit) => {
        await kit.sync(list);
        const again = await kit.open();
        expect(changesFor(kit.wanted(list), await again.opened.read(), US)).toEqual([]);
        await kit.sync([...list].reverse(), again.opened);
        expect(again.io.operations).toHaveLength(2);
      },
    },
    {
      key: 'exact-removal',
      title: 'a removal takes what it is given and nothing else',
      run: async (kit) => {
        await kit.sync([A, B, C]);
        const snapshot = await kit.opened.read();
        const gone = snapshot.entries.filter((entry) => entry.cidr === B);
        await kit.opened.write(
          gone.map((entry): Change => ({ action: 'remove', entry })),
          snapshot,
        );
        expect(await kit.outside()).toEqual(keys(kit.wanted([A, C])));
      },
    },
    {
      key: 'order',
      title: 'the order in which addresses come does not matter',
      run: async (kit) => {
        const some = list.slice(-5);
        await fc.assert(
          fc.asyncProperty(fc.shuffledSubarray(some, { minLength: some.length }), async (shuffled) => {
            await kit.sync([]);
            await kit.sync(shuffled);
            expect(await kit.outside()).toEqual(keys(kit.wanted(some)));
          }),
          { numRuns: Math.min(capabilities.runs ?? 10, 5) },
        );
      },
    },
  ];
}
