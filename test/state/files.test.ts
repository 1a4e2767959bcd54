import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { readJson, writeJson } from '../../src/state/files.ts';
import { temporaryFolder } from '../support/state.ts';

const schema = z.object({ version: z.literal(1), names: z.array(z.string()) });

test('what is written is read back', async () => {
  const path = join(await temporaryFolder(), 'state.json');
  const value = { version: 1, names: ['a', 'ü'] };
  await writeJson(path, value);
  expect(await readJson(path, schema)).toEqual({ kind: 'ok', value });
});

test('only the user who runs it may look into folder and file, also when the file was there before', async () => {
  const dir = join(await temporaryFolder(), 'deep', 'state');
  const path = join(dir, 'state.json');
  await writeJson(path, {});
  expect((await stat(dir)).mode & 0o777).toBe(0o700);
  await chmod(path, 0o644);
  await writeJson(path, {});
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('a file that is not there is missing, not broken', async () => {
  expect(await readJson(join(await temporaryFolder(), 'state.json'), schema)).toEqual({ kind: 'missing' });
});

test.each([
  ['cut off', '{"version": 1, "names": ["secret-', 'is not JSON'],
  ['empty', '', 'is not JSON'],
  ['of another form', '{"version": 1, "names": [1, "secret-value"]}', 'not in the form expected at names.0'],
  ['something else', '"secret-value"', 'not in the form expected at the whole'],
])('a file that is %s is broken, and its content is not quoted', async (_, text, says) => {
  const path = join(await temporaryFolder(), 'state.json');
  await writeFile(path, text);
  const read = await readJson(path, schema);
  expect(read).toEqual({ kind: 'broken', detail: expect.stringContaining(says) });
  expect(JSON.stringify(read)).not.toContain('secret');
});

test('writes at the same time leave one of them, whole, and nothing beside it', async () => {
  const dir = await temporaryFolder();
  const path = join(dir, 'state.json');
  const sizes = [10_000, 0, 5000];
  const names = (size: number) => ({ names: Array.from({ length: size }, (_, index) => `name ${index}`) });
  await Promise.all(sizes.map((size) => writeJson(path, names(size))));
  const written = z.object({ names: z.array(z.string()) }).parse(JSON.parse(await readFile(path, 'utf8')));
  expect(sizes).toContain(written.names.length);
  expect(await readdir(dir)).toEqual(['state.json']);
});

test('a place that cannot be read or written is named, with the reason', async () => {
  const dir = await temporaryFolder();
  await mkdir(join(dir, 'folder'));
  await writeFile(join(dir, 'file'), '');
  await expect(readJson(join(dir, 'folder'), schema)).rejects.toMatchObject({
    code: 'state-unusable',
    message: `${join(dir, 'folder')} cannot be used: it is a folder`,
  });
  await expect(writeJson(join(dir, 'folder'), {})).rejects.toMatchObject({ code: 'state-unusable' });
  await expect(writeJson(join(dir, 'file', 'state.json'), {})).rejects.toMatchObject({
    code: 'state-unusable',
    message: expect.stringContaining(join(dir, 'file')),
  });
});
