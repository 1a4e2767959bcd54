import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { readSource, type SourceDeps } from '../../src/sources/read.ts';
import { type SourceConfig, sourceSchema } from '../../src/sources/schema.ts';
import { instantClock } from '../support/io.ts';
import { LIST } from './hostile.ts';
import { serve } from './server.ts';

const PAGES = fileURLToPath(new URL('../fixtures/pages', import.meta.url));
const CIDRS = [
  '34.19.100.134/32',
  '34.82.135.155/32',
  '34.83.176.217/32',
  '34.127.0.121/32',
  '35.203.151.101/32',
  '35.230.127.150/32',
];

const deps = (given: Partial<SourceDeps> = {}): SourceDeps => ({
  baseDir: PAGES,
  cacheDir: null,
  clock: instantClock(),
  random: () => 0,
  signal: new AbortController().signal,
  env: {},
  ...given,
});

const read = (source: object, given?: Partial<SourceDeps>) => readSource(config(source), deps(given));
const config = (source: object): SourceConfig => sourceSchema.parse(source);

async function folder(files: Record<string, string | Buffer>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'allowlist-sync-read-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) await writeFile(join(path, name), content);
  return path;
}

test('a file is read relative to the config, and gives canonical sorted CIDRs with evidence', async () => {
  const reading = await read({ type: 'file', path: './status.mdx', format: 'markdown' });
  expect(reading).toMatchObject({
    type: 'file',
    status: 'ok',
    url: './status.mdx',
    cidrs: CIDRS,
    error: null,
  });
  expect(reading.evidence).toMatchObject({
    httpStatus: null,
    notModified: false,
    duplicates: [],
    hostBits: [],
  });
  expect(reading.evidence.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(reading.evidence.position).toContain('«IP addresses»');
});

test('the presets read a page and its source at whatever URL', async () => {
  const pages = { '/page': 'status.html', '/source': 'status.mdx' };
  const { readFile } = await import('node:fs/promises');
  const { url } = await serve(async (request, response) => {
    const name = request.url === '/page' ? pages['/page'] : pages['/source'];
    const type = request.url === '/page' ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8';
    response.writeHead(200, { 'content-type': type, etag: '"7"' }).end(await readFile(join(PAGES, name)));
  });
  const page = await read({ type: 'streamlit-docs', url: `${url}/page` });
  const source = await read({ type: 'streamlit-github', url: `${url}/source?x=1` });
  expect(page).toMatchObject({ status: 'ok', cidrs: CIDRS, evidence: { httpStatus: 200, etag: '"7"' } });
  expect(source).toMatchObject({ status: 'ok', cidrs: CIDRS, url: `${url}/source?…` });
});

test('duplicates and host bits are reported, and the list has each network once', async () => {
  const baseDir = await folder({ list: `${LIST[0]}\n34.19.0.5/24\n${LIST[0]}/32\n34.19.0.0/24\n` });
  const reading = await read({ type: 'file', path: 'list', format: 'text' }, { baseDir });
  expect(reading.cidrs).toEqual(['34.19.0.0/24', '35.230.127.150/32']);
  expect(reading.evidence.duplicates).toEqual(['34.19.0.0/24', '35.230.127.150/32']);
  expect(reading.evidence.hostBits).toEqual(['34.19.0.5/24']);
});

test('malformed and empty are told apart, with what was looked for and what was found', async () => {
  const baseDir = await folder({ broken: '{"ips": "none"}', empty: '{"ips": []}' });
  const source = { type: 'file', format: 'json', pointer: '/ips' };
  const broken = await read({ ...source, path: 'broken' }, { baseDir });
  expect(broken).toMatchObject({ status: 'malformed', cidrs: [], error: { code: 'source-malformed' } });
  expect(broken.error?.message).toContain('looked for an array of addresses at /ips, found a string there');
  const empty = await read({ ...source, path: 'empty' }, { baseDir });
  expect(empty).toMatchObject({ status: 'empty', cidrs: [], error: { code: 'source-empty' } });
});

test('bytes that are no UTF-8 are malformed', async () => {
  const baseDir = await folder({ latin: Buffer.from([0x23, 0xe9, 0x0a]) });
  const reading = await read({ type: 'file', path: 'latin', format: 'text' }, { baseDir });
  expect(reading).toMatchObject({
    status: 'malformed',
    error: { message: expect.stringContaining('not UTF-8') },
  });
});

test('a byte order mark before a list does not matter', async () => {
  const baseDir = await folder({ list: `\ufeff${LIST.join('\r\n')}\r\n` });
  expect(await read({ type: 'file', path: 'list', format: 'text' }, { baseDir })).toMatchObject({
    cidrs: CIDRS,
  });
});

test('a file that is missing, no file, or too large is unreachable, never empty', async () => {
  const baseDir = await folder({ large: '#'.repeat(200) });
  await mkdir(join(baseDir, 'dir'));
  for (const [path, reason] of [
    ['none', 'ENOENT'],
    ['dir', 'no regular file'],
    ['large', 'larger than 100 bytes'],
  ]) {
    const reading = await read(
      { type: 'file', path, format: 'text' },
      { baseDir, limits: { maxBytes: 100 } },
    );
    expect(reading).toMatchObject({ status: 'unreachable', cidrs: [], error: { code: 'file-unreadable' } });
    expect(reading.error?.message).toContain(reason);
  }
});

test('what a page says about itself cannot reach a terminal', async () => {
  const { url } = await serve((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html', etag: `"${'\u009b'}31m${'x'.repeat(500)}"` });
    response.end('<html><h1>\u001b]0;pwned\u0007\u202e\u2028\n</h1></html>');
  });
  const reading = await read({ type: 'streamlit-docs', url });
  expect(reading.status).toBe('malformed');
  expect(JSON.stringify(Object.values(reading.evidence))).not.toMatch(/\p{Cc}/u);
  expect(reading.evidence.etag?.length).toBeLessThanOrEqual(200);
  expect(reading.error?.message).toContain('\\u{1b}]0;pwned\\u{7}\\u{202e}');
  expect(reading.error?.message).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}]/u);
});

test('a page that moved and a page out of reach are told apart from one that changed', async () => {
  const { url } = await serve((request, response) => {
    if (request.url === '/moved') response.writeHead(301, { location: '/new' }).end();
    else response.writeHead(404).end();
  });
  expect(await read({ type: 'streamlit-docs', url: `${url}/moved` })).toMatchObject({ status: 'moved' });
  expect(await read({ type: 'streamlit-docs', url: `${url}/gone` })).toMatchObject({ status: 'unreachable' });
});

test('a page that did not change is read again from the folder of the cache', async () => {
  const cacheDir = join(await folder({}), 'cache');
  const { url } = await serve((request, response) => {
    if (request.headers['if-none-match'] === '"1"') response.writeHead(304, { etag: '"1"' }).end();
    else response.writeHead(200, { 'content-type': 'text/plain', etag: '"1"' }).end(LIST.join('\n'));
  });
  const source = { type: 'url', url, format: 'text' };
  const first = await read(source, { cacheDir });
  const second = await read(source, { cacheDir });
  expect(first).toMatchObject({ cidrs: CIDRS, evidence: { notModified: false } });
  expect(second).toMatchObject({
    cidrs: CIDRS,
    evidence: { notModified: true, sha256: first.evidence.sha256 },
  });
});
