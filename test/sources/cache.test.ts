import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openCache } from '../../src/sources/cache.ts';
import { fetchDocument } from '../../src/sources/http.ts';
import { instantClock } from '../support/io.ts';
import { serve } from './server.ts';

const PAGE = '<html>one</html>';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'allowlist-sync-cache-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function setUp(etag: string | null = '"1"') {
  const path = await folder();
  const answer = { body: PAGE, etag, status: 0, type: 'text/html' };
  const served = await serve((request, response) => {
    const headers = { 'content-type': answer.type, ...(answer.etag ? { etag: answer.etag } : {}) };
    const isCurrent = answer.etag !== null && request.headers['if-none-match'] === answer.etag;
    const status = answer.status || (isCurrent ? 304 : 200);
    response.writeHead(status, headers).end(status === 304 ? undefined : answer.body);
  });
  const get = (version = 1, now = 0) =>
    fetchDocument(served.url, {
      kind: 'html',
      cache: openCache(path, version),
      clock: instantClock(now),
      random: () => 0,
      signal: new AbortController().signal,
      env: {},
    });
  const damage = async (change: (file: Buffer) => Buffer | string) => {
    const [name = ''] = await readdir(path);
    await writeFile(join(path, name), change(await readFile(join(path, name))));
  };
  return { ...served, path, answer, get, damage };
}

test('a page that did not change is asked for by its ETag and comes from the cache', async () => {
  const { get, requests, url, path } = await setUp();
  const first = await get(1, 1000);
  const second = await get(1, 2000);
  expect(second).toMatchObject({
    ok: true,
    httpStatus: 304,
    notModified: true,
    etag: '"1"',
    contentType: 'text/html',
  });
  if (first.ok && second.ok) expect(second.sha256).toBe(first.sha256);
  expect(second.ok && second.body.toString()).toBe(PAGE);
  expect(requests[1]?.headers['if-none-match']).toBe('"1"');
  expect(await openCache(path, 1).get(url)).toMatchObject({ fetchedAt: 2000 });
});

test('a page that changed replaces the one in the cache', async () => {
  const { get, answer } = await setUp();
  await get();
  Object.assign(answer, { body: '<html>two</html>', etag: '"2"' });
  expect(await get()).toMatchObject({ notModified: false });
  const again = await get();
  expect(again).toMatchObject({ notModified: true });
  expect(again.ok && again.body.toString()).toBe('<html>two</html>');
});

test.each([
  ['is damaged', (file: Buffer) => file.toString().replace('one', 'two')],
  ['is cut', (file: Buffer) => file.subarray(0, -3)],
  ['is empty', () => ''],
  ['is no longer JSON', (file: Buffer) => `x${file}`],
  ['belongs to another URL', (file: Buffer) => file.toString().replace('127.0.0.1', '127.0.0.2')],
])('a copy that %s is not there, and the page is fetched whole', async (_, change) => {
  const { get, requests, damage } = await setUp();
  await get();
  await damage(change);
  const fetched = await get();
  expect(fetched).toMatchObject({ ok: true, notModified: false });
  expect(fetched.ok && fetched.body.toString()).toBe(PAGE);
  expect(requests[1]?.headers['if-none-match']).toBeUndefined();
});

test('a copy that another version of the parser stored is not there', async () => {
  const { get } = await setUp();
  await get(1);
  expect(await get(2)).toMatchObject({ ok: true, notModified: false });
});

test('a 304 without any copy is an error', async () => {
  const { get, answer, requests } = await setUp();
  answer.status = 304;
  expect(await get()).toMatchObject({
    status: 'unreachable',
    error: { message: expect.stringContaining('304') },
  });
  expect(requests).toHaveLength(4);
});

test('a 304 that speaks of another version than the copy is not believed: the page is asked for whole', async () => {
  const { get, answer, requests } = await setUp();
  await get();
  Object.assign(answer, { etag: '"2"', status: 304 });
  expect(await get()).toMatchObject({ status: 'unreachable' });
  expect(requests[1]?.headers['if-none-match']).toBe('"1"');
  expect(requests[2]?.headers['if-none-match']).toBeUndefined();
});

test('a page without ETag and Last-Modified is not kept', async () => {
  const { get, path } = await setUp(null);
  await get();
  expect(await readdir(path)).toEqual([]);
});

test('a page whose body was cut is not kept', async () => {
  const path = await folder();
  const { url } = await serve((request, response) => {
    response.writeHead(200, { 'content-type': 'text/html', etag: '"1"', 'content-length': 1000 });
    response.write(PAGE, () => request.socket.destroy());
  });
  const options = { clock: instantClock(), random: () => 0, signal: new AbortController().signal, env: {} };
  await fetchDocument(url, { ...options, kind: 'html', cache: openCache(path, 1) });
  expect(await readdir(path)).toEqual([]);
});

test('a cache that cannot be written costs nothing but the next download', async () => {
  const path = await folder();
  await writeFile(join(path, 'file'), '');
  const cache = openCache(join(path, 'file'), 1);
  const document = {
    body: Buffer.from(PAGE),
    etag: '"1"',
    lastModified: null,
    contentType: null,
    fetchedAt: 0,
  };
  expect(await cache.put('https://example.org/', document)).toBeTruthy();
  expect(await cache.get('https://example.org/')).toBeUndefined();
});
