import { appendFile, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { appendJournal, readJournal } from '../../src/state/journal.ts';
import type { JournalRecord } from '../../src/state/records.ts';
import { temporaryFolder } from '../support/state.ts';

const at = '2026-03-01T12:00:00.000Z';

function approved(id: string): JournalRecord {
  return { at, runId: 'r1', type: 'approved', id, user: 'ann', host: 'north' };
}

function ids({ entries }: Awaited<ReturnType<typeof readJournal>>): unknown[] {
  return entries.map(({ record }) => record.id);
}

test('records come back newest first, no more than asked for', async () => {
  const dir = await temporaryFolder();
  await appendJournal(dir, [approved('1'), approved('2')]);
  await appendJournal(dir, [approved('3')]);
  expect(ids(await readJournal(dir, { limit: 2 }))).toEqual(['3', '2']);
  expect(await readJournal(dir, { limit: 9 })).toMatchObject({ skipped: 0, entries: { length: 3 } });
  expect((await stat(join(dir, 'journal.jsonl'))).mode & 0o777).toBe(0o600);
});

test('a journal that is not there yet is empty', async () => {
  expect(await readJournal(await temporaryFolder(), { limit: 9 })).toEqual({ entries: [], skipped: 0 });
});

test('a last line that was torn off spoils only itself', async () => {
  const dir = await temporaryFolder();
  await appendJournal(dir, [approved('1')]);
  await appendFile(join(dir, 'journal.jsonl'), JSON.stringify(approved('2')).slice(0, 30));
  const torn = await readJournal(dir, { limit: 9 });
  expect([ids(torn), torn.skipped]).toEqual([['1'], 1]);
  await appendJournal(dir, [approved('3')]);
  const closed = await readJournal(dir, { limit: 9 });
  expect([ids(closed), closed.skipped]).toEqual([['3', '1'], 1]);
});

test('a last line that only lost its line feed is read, and stays apart from the next one', async () => {
  const dir = await temporaryFolder();
  await writeFile(join(dir, 'journal.jsonl'), JSON.stringify(approved('1')));
  expect(ids(await readJournal(dir, { limit: 9 }))).toEqual(['1']);
  await appendJournal(dir, [approved('2')]);
  expect(await readJournal(dir, { limit: 9 })).toMatchObject({ skipped: 0, entries: { length: 2 } });
});

test('a type that this version does not know is kept, and so are unknown fields of a known one', async () => {
  const dir = await temporaryFolder();
  const later = { at, runId: 'r1', type: 'moon-phase', phase: 'full' };
  const wider = { ...approved('1'), reason: 'because' };
  const otherShape = { at, runId: 'r1', type: 'approved', ids: ['1'] };
  const lines = [later, wider, otherShape, { type: 'no time' }];
  await writeFile(join(dir, 'journal.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  expect(await readJournal(dir, { limit: 9 })).toEqual({
    entries: [
      { known: false, record: otherShape },
      { known: true, record: wider },
      { known: false, record: later },
    ],
    skipped: 1,
  });
});

test('any mix of short and long lines is read back whole from the end, wherever the blocks fall', async () => {
  const id = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.nat(200_000).map((n) => 'é'.repeat(n)),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(id, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 9 }),
      async (all, limit) => {
        const dir = await temporaryFolder();
        for (const one of all) await appendJournal(dir, [approved(one)]);
        const read = await readJournal(dir, { limit });
        expect(ids(read)).toEqual(all.toReversed().slice(0, limit));
        expect(read.skipped).toBe(0);
      },
    ),
    { numRuns: 40 },
  );
});

test('a journal cut at any byte loses at most its last record', async () => {
  const dir = await temporaryFolder();
  await appendJournal(dir, [approved('1'), approved('2')]);
  const whole = await readFile(join(dir, 'journal.jsonl'));
  const line = whole.length / 2;
  for (let length = 0; length < whole.length; length += 1) {
    await writeFile(join(dir, 'journal.jsonl'), whole.subarray(0, length));
    await appendJournal(dir, [approved('3')]);
    const whole1 = length >= line - 1 ? ['1'] : [];
    const whole2 = length >= 2 * line - 1 ? ['2'] : [];
    expect(ids(await readJournal(dir, { limit: 9 }))).toEqual(['3', ...whole2, ...whole1]);
  }
});

test('a hole of zeros in the middle is skipped without being brought into memory', async () => {
  const dir = await temporaryFolder();
  await appendJournal(dir, [approved('1')]);
  await appendFile(join(dir, 'journal.jsonl'), Buffer.alloc(9_000_000));
  await appendJournal(dir, [approved('2')]);
  const read = await readJournal(dir, { limit: 9 });
  expect([ids(read), read.skipped]).toEqual([['2', '1'], 1]);
});

test('files that are full are put away, five are kept, and reading goes on across them', async () => {
  const dir = await temporaryFolder();
  const maxBytes = 3 * (JSON.stringify(approved('00')).length + 1);
  for (let n = 10; n < 40; n += 1) await appendJournal(dir, [approved(String(n))], { maxBytes });
  expect((await readdir(dir)).sort()).toEqual(
    ['', '.1', '.2', '.3', '.4'].map((suffix) => `journal.jsonl${suffix}`),
  );
  const newest = Array.from({ length: 15 }, (_, index) => String(39 - index));
  expect(ids(await readJournal(dir, { limit: 99 }))).toEqual(newest);
  expect(ids(await readJournal(dir, { limit: 4 }))).toEqual(newest.slice(0, 4));
});

test('a place that cannot be written is named', async () => {
  const dir = await temporaryFolder();
  await writeFile(join(dir, 'file'), '');
  await expect(appendJournal(join(dir, 'file'), [approved('1')])).rejects.toMatchObject({
    code: 'state-unusable',
    message: expect.stringContaining(join(dir, 'file')),
  });
});
