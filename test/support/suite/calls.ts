import { tmpdir } from 'node:os';
import { expect } from 'vitest';
import type { Change } from '../../../providers/provider.ts';
import { familyOf, toCidr } from '../../../src/cidr.ts';
import { FatalError } from '../../../src/errors.ts';
import { changesFor } from '../converge.ts';
import type { Capabilities } from '../fixture.ts';
import { A, B, C, type Case, D, HAND, type Kit, keys, PUBLISHED, US } from './kit.ts';

/** The least number of requests, every one of them through the Io, and none for what must not be asked. */
export function callCases({ atomic, families, waits = [] }: Capabilities): Case[] {
  const counted = (operations: readonly string[]) => operations.filter((name) => !waits.includes(name));
  return [
    {
      key: 'batch',
      title: '18 addresses are one write',
      run: async (kit) => {
        const snapshot = await kit.opened.read();
        const before = kit.io.operations.length;
        await kit.opened.write(changesFor(kit.wanted(PUBLISHED), snapshot, US), snapshot);
        expect(counted(kit.io.operations.slice(before))).toHaveLength(1);
        expect(await kit.outside()).toEqual(keys(kit.wanted(PUBLISHED)));
      },
    },
    {
      key: 'cost-in-sync',
      title: 'being in sync costs one read',
      run: async (kit) => {
        await kit.sync(PUBLISHED);
        const { opened, io } = await kit.open();
        const received = listen(kit);
        await kit.sync(PUBLISHED, opened);
        expect(io.operations).toHaveLength(1);
        expect(received() ?? io.operations.length).toBe(io.operations.length);
      },
    },
    {
      key: 'cost-change',
      title: `a change costs ${atomic ? 'one read and one write' : 'one read, one batched add, one proving read, one batched remove'}`,
      run: async (kit) => {
        await kit.sync([A, B, D]);
        const { opened, io } = await kit.open();
        const received = listen(kit);
        await kit.sync([A, C, HAND], opened);
        expect(counted(io.operations)).toHaveLength(atomic ? 2 : 4);
        expect(received() ?? io.operations.length).toBe(io.operations.length);
        expect(await kit.outside()).toEqual(keys(kit.wanted([A, C, HAND])));
      },
    },
    {
      key: 'nothing-to-do',
      title: 'a write without changes makes no request',
      run: async (kit) => {
        const snapshot = await kit.opened.read();
        const before = kit.io.operations.length;
        await kit.opened.write([], snapshot);
        expect(kit.io.operations).toHaveLength(before);
      },
    },
    {
      key: 'missing',
      title: 'a missing object is a fatal error that names it',
      run: async ({ fixture, io, skip }) => {
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
      },
    },
    {
      key: 'lock',
      title: 'the open world and whatever is nearly so are refused without a request',
      run: async (kit) => {
        await kit.sync([A]);
        const snapshot = await kit.opened.read();
        const before = kit.io.operations.length;
        const broad = ['0.0.0.0/0', '34.0.0.0/7', '::/0', '2600::/15'].map(toCidr);
        for (const cidr of broad.filter((one) => families.includes(familyOf(one)))) {
          const changes = kit.wanted([B, cidr]).map((entry): Change => ({ action: 'add', entry }));
          await expect(kit.opened.write(changes, snapshot)).rejects.toMatchObject({ code: 'write-refused' });
        }
        expect(kit.io.operations).toHaveLength(before);
        expect(await kit.outside()).toEqual(keys(kit.wanted([A])));
      },
    },
  ];
}

/** Counts what the service itself receives from now on; undefined where it cannot be asked. */
function listen({ fixture }: Kit): () => number | undefined {
  let received = 0;
  fixture.inject?.(() => {
    received += 1;
    return undefined;
  });
  return () => (fixture.inject ? received : undefined);
}
