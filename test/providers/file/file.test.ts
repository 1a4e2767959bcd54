import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { withFileErrors } from '../../../providers/file/failure.ts';
import { provider } from '../../../providers/file/file.ts';
import type { Change, Identity, Snapshot } from '../../../providers/provider.ts';
import { toCidr } from '../../../src/cidr.ts';
import { FatalError, TransientError } from '../../../src/errors.ts';
import { US } from '../../provider-suite.ts';
import { changesFor, converge } from '../../support/converge.ts';
import { testIo } from '../../support/io.ts';
import { type FileFormat, makeFileFixture } from './fixture.ts';

const A = toCidr('34.19.100.134');
const B = toCidr('35.230.127.150');
const wanted = (...cidrs: (typeof A)[]) => cidrs.map((cidr) => ({ cidr, protocol: null, ports: null }));
const MARKER = 'allowlist-sync/v1 owner=acme-prod target=orders-db';
const BLOCK = `# BEGIN ${MARKER}\n${A}\n# END ${MARKER}\n`;

async function start(format: FileFormat = 'text', identity: Identity = US) {
  const { path, baseDir, close } = await makeFileFixture(format);
  onTestFinished(close);
  const io = testIo();
  const at = async (name: string, as: Identity = identity) =>
    provider.open({ identity: as, options: { path: name, format }, baseDir: baseDir ?? '/' }, io);
  return { path, folder: join(path, '..'), io, at, opened: await at('allowlist') };
}

const refusal = (code: string, message: string) => ({ code, message: expect.stringContaining(message) });

test('a file that does not exist yet reads as empty, and the first write makes it', async () => {
  const { opened, path } = await start();
  expect((await opened.read()).entries).toEqual([]);
  await converge(opened, provider, US, wanted(A));
  expect(await readFile(path, 'utf8')).toBe(BLOCK);
});

test('a path below the folder of the config or an absolute one is the same object', () => {
  const describe = (path: string) =>
    provider.describe({ identity: US, options: { path, format: 'text' }, baseDir: '/etc/acme' }).object;
  expect(describe('./a.txt')).toBe('file /etc/acme/a.txt');
  expect(describe('/etc/acme/a.txt')).toBe(describe('a.txt'));
});

test('mode, owner and group are kept, and no other file is left behind', async () => {
  const { opened, path, folder } = await start();
  await writeFile(path, 'x\n');
  await chmod(path, 0o640);
  if (process.getuid?.() === 0) await chown(path, 1234, 2345);
  const before = await stat(path);
  await converge(opened, provider, US, wanted(A));
  const { mode, uid, gid } = await stat(path);
  expect({ mode, uid, gid }).toEqual({ mode: before.mode, uid: before.uid, gid: before.gid });
  expect(await readdir(folder)).toEqual(['allowlist']);
});

test('the target of a link is replaced, and the link stays', async () => {
  const { at, folder } = await start();
  await mkdir(join(folder, 'real'));
  await writeFile(join(folder, 'real', 'list'), 'x\n');
  await symlink('real/list', join(folder, 'link'));
  await converge(await at('link'), provider, US, wanted(A));
  expect((await lstat(join(folder, 'link'))).isSymbolicLink()).toBe(true);
  expect(await readFile(join(folder, 'real', 'list'), 'utf8')).toBe(`x\n${BLOCK}`);
});

test('bytes of others are kept whatever their encoding', async () => {
  const { opened, path } = await start();
  const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0xff, 0xfe, 0xe9, 0x0a, 0xc3, 0x28]);
  await writeFile(path, bytes);
  await converge(opened, provider, US, wanted(A));
  expect((await readFile(path)).subarray(0, bytes.length)).toEqual(bytes);
  await converge(opened, provider, US, []);
  expect(await readFile(path)).toEqual(bytes);
});

test.each([
  ['a missing folder', 'none/list', 'target-missing', 'none/list does not exist'],
  ['a link into nothing', 'dangling', 'target-missing', 'dangling is a link to a file that does not exist'],
  ['a folder', 'folder', 'object-differs', 'folder is no regular file'],
  ['a file below a file', 'plain/list', 'file-unreadable', 'plain/list: a part of the path is no folder'],
  ['links in a circle', 'circle', 'file-unreadable', 'circle: its links lead in a circle'],
  ['a huge file', 'huge', 'object-differs', 'huge is larger than'],
  ['a binary file', 'binary', 'object-differs', 'binary is no text'],
])('%s is a fatal error that names the path', async (_, name, code, message) => {
  const { at, folder } = await start();
  await mkdir(join(folder, 'folder'));
  await writeFile(join(folder, 'plain'), '');
  await writeFile(join(folder, 'binary'), Buffer.from('#\0B\0', 'latin1'));
  await writeFile(join(folder, 'huge'), '');
  await truncate(join(folder, 'huge'), 11 * 1024 * 1024);
  await symlink('nowhere', join(folder, 'dangling'));
  await symlink('circle', join(folder, 'circle'));
  const reading = (await at(name)).read();
  await expect(reading).rejects.toBeInstanceOf(FatalError);
  await expect(reading).rejects.toMatchObject(refusal(code, join(folder, message)));
});

test('a file that changed between read and write is a lost race, and stays as it was left', async () => {
  const { opened, path } = await start();
  for (const [before, after] of [
    ['x\n', 'y\n'],
    ['x\n', 'x'],
    ['', 'x\n'],
  ] as const) {
    await writeFile(path, before);
    const snapshot = await opened.read();
    await writeFile(path, after);
    await expect(opened.write(changesFor(wanted(A), snapshot, US), snapshot)).rejects.toMatchObject({
      code: 'conflict',
    });
    expect(await readFile(path, 'utf8')).toBe(after);
  }
});

test('a file that was made or taken away between read and write is a lost race', async () => {
  const { opened, path } = await start();
  const missing = await opened.read();
  await writeFile(path, '');
  const there = await opened.read();
  const write = (snapshot: Snapshot) => opened.write(changesFor(wanted(A), snapshot, US), snapshot);
  await expect(write(missing)).rejects.toMatchObject({ code: 'conflict' });
  await rm(path);
  await expect(write(there)).rejects.toMatchObject({ code: 'conflict' });
});

test('a snapshot that this adapter did not give is a lost race, never taken for an empty file', async () => {
  const { opened, path } = await start();
  await writeFile(path, BLOCK);
  const copy: Snapshot = structuredClone(await opened.read());
  const changes: Change[] = copy.entries.map((entry) => ({ action: 'remove', entry }));
  await expect(opened.write(changes, copy)).rejects.toMatchObject({ code: 'conflict' });
  expect(await readFile(path, 'utf8')).toBe(BLOCK);
});

test('a removal of an entry that is not ours takes nothing', async () => {
  const { opened, path, io } = await start();
  await writeFile(path, `${A}\n`);
  const snapshot = await opened.read();
  const changes = snapshot.entries.map((entry): Change => ({ action: 'remove', entry }));
  await opened.write(changes, snapshot);
  expect(await readFile(path, 'utf8')).toBe(`${A}\n`);
  expect(io.operations).toEqual(['readFile']);
});

test.each(['text', 'nginx', 'json'] as const)(
  '%s: what is no address in our part is drift, and repaired',
  async (format) => {
    const { opened, path } = await start(format);
    await converge(opened, provider, US, wanted(A));
    const clean = await readFile(path, 'utf8');
    await writeFile(path, clean.replace(A, `${A}x`));
    const { settings, entries } = await opened.read();
    expect(entries).toEqual([]);
    expect(settings).toMatchObject([{ field: 'other-lines', desired: 'none', repair: true }]);
    await converge(opened, provider, US, wanted(A));
    expect(await readFile(path, 'utf8')).toBe(clean);
  },
);

test.each(['text', 'json'] as const)(
  '%s: a marker under a previous name is brought up to date',
  async (format) => {
    const { opened, at, path } = await start(format, { ...US, target: 'old-name' });
    await converge(opened, provider, { ...US, target: 'old-name' }, wanted(A));
    const renamed = { ...US, previousNames: ['old-name'] };
    await converge(await at('allowlist', renamed), provider, renamed, wanted(A));
    expect(await readFile(path, 'utf8')).not.toContain('old-name');
    expect((await (await at('allowlist', US)).read()).entries).toMatchObject([
      { cidr: A, marker: { target: US.target } },
    ]);
  },
);

test('json: the file is owner, target and sorted cidrs, and stays when nothing is left', async () => {
  const { opened, path } = await start('json');
  await converge(opened, provider, US, wanted(B, A));
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
    owner: US.owner,
    target: US.target,
    cidrs: [A, B],
  });
  await converge(opened, provider, US, []);
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ owner: US.owner, target: US.target, cidrs: [] });
});

test.each([
  '[]',
  '{"cidrs":[]}',
  'not json',
  '{"owner":"acme-prod","target":"orders-db","cidrs":[],"more":1}',
  '{"owner":"acme-prod","target":"orders-db-2","cidrs":[]}',
  '{"owner":"acme","target":"orders-db","cidrs":[]}',
])('json: %s is somebody else’s', async (content) => {
  const { opened, path } = await start('json');
  await writeFile(path, content);
  await expect(opened.read()).rejects.toMatchObject(refusal('not-owned', path));
  await writeFile(path, ' \n');
  const snapshot = await opened.read();
  await writeFile(path, content);
  await expect(opened.write(changesFor(wanted(A), snapshot, US), snapshot)).rejects.toMatchObject({
    code: 'conflict',
  });
  expect(await readFile(path, 'utf8')).toBe(content);
});

test('what the system refuses becomes an error of the catalogue: passing or not, with the path', async () => {
  const failing = (code: string) =>
    withFileErrors('replace', '/etc/list', async () => {
      throw Object.assign(new Error('of the system'), { code });
    });
  await expect(failing('EACCES')).rejects.toMatchObject(
    refusal('file-unreadable', 'cannot replace /etc/list: no permission'),
  );
  await expect(failing('ENOSPC')).rejects.toBeInstanceOf(FatalError);
  await expect(failing('EMFILE')).rejects.toBeInstanceOf(TransientError);
  const bug = new Error('a bug of ours');
  await expect(withFileErrors('read', '/etc/list', () => Promise.reject(bug))).rejects.toBe(bug);
});

test.skipIf(process.getuid?.() === 0)(
  'a read-only file is refused, though its folder is writable',
  async () => {
    const { opened, path } = await start();
    await writeFile(path, 'x\n');
    await chmod(path, 0o440);
    await expect(converge(opened, provider, US, wanted(A))).rejects.toMatchObject(
      refusal('file-unreadable', path),
    );
    expect(await readFile(path, 'utf8')).toBe('x\n');
  },
);

test('the options are the path and the format, and nothing else', () => {
  expect(provider.options.parse({ path: 'a' })).toEqual({ path: 'a', format: 'text' });
  for (const wrong of [{}, { path: '' }, { path: 'a', format: 'yaml' }, { path: 'a', paht: 'b' }])
    expect(provider.options.safeParse(wrong).success).toBe(false);
});
