import { createServer } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { TransientError } from '../../src/errors.ts';
import type { FetchOptions } from '../../src/sources/exchange.ts';
import { fetchDocument } from '../../src/sources/http.ts';
import { instantClock } from '../support/io.ts';
import { serve, serveProxy } from './server.ts';

const PAGE = '<html><body>hello</body></html>';
const HTML = { 'content-type': 'text/html; charset=utf-8' };

function get(url: string, options: Partial<FetchOptions> = {}) {
  return fetchDocument(url, {
    kind: 'html',
    cache: null,
    clock: instantClock(),
    random: () => 0,
    signal: new AbortController().signal,
    env: {},
    ...options,
  });
}

test('a page is fetched whole, with what its headers say', async () => {
  const { url, requests } = await serve((_, response) => {
    response
      .writeHead(200, { ...HTML, etag: '"1"', 'last-modified': 'Fri, 29 Nov 2024 00:00:00 GMT' })
      .end(PAGE);
  });
  const fetched = await get(url);
  expect(fetched).toMatchObject({ ok: true, httpStatus: 200, etag: '"1"', notModified: false });
  expect(fetched).toMatchObject({
    lastModified: 'Fri, 29 Nov 2024 00:00:00 GMT',
    date: expect.stringContaining('GMT'),
  });
  if (fetched.ok) expect(fetched.body.toString()).toBe(PAGE);
  expect(requests[0]?.headers['if-none-match']).toBeUndefined();
});

test.each([
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
] as const)('a body in %s is decompressed', async (encoding, compress) => {
  const { url } = await serve((_, response) => {
    response.writeHead(200, { ...HTML, 'content-encoding': encoding }).end(compress(PAGE));
  });
  const fetched = await get(url);
  expect(fetched.ok && fetched.body.toString()).toBe(PAGE);
});

test.each([
  [404, 1],
  [403, 1],
  [204, 1],
  [500, 4],
  [503, 4],
  [429, 4],
])('status %i is unreachable after %i tries', async (status, tries) => {
  const { url, requests } = await serve((_, response) => {
    response.writeHead(status, HTML).end(status === 204 ? undefined : PAGE);
  });
  expect(await get(url)).toMatchObject({
    ok: false,
    status: 'unreachable',
    httpStatus: status,
    error: { code: 'source-unreachable', message: expect.stringContaining(`answered ${status}`) },
  });
  expect(requests).toHaveLength(tries);
});

test('a server that recovers is read at the next try, after the time that it asked for', async () => {
  const { url, requests } = await serve((_, response) => {
    if (requests.length === 1) response.writeHead(503, { 'retry-after': '7' }).end();
    else response.writeHead(200, HTML).end(PAGE);
  });
  const clock = instantClock();
  expect((await get(url, { clock })).ok).toBe(true);
  expect(clock.now()).toBe(7000);
});

test('a Retry-After beyond the time of a source is not waited for', async () => {
  const { url, requests } = await serve((_, response) => {
    response.writeHead(429, { 'retry-after': '3600' }).end();
  });
  const clock = instantClock();
  const fetched = await get(url, { clock });
  expect(fetched).toMatchObject({
    status: 'unreachable',
    error: { message: expect.stringContaining('3600 s') },
  });
  expect(requests).toHaveLength(1);
  expect(clock.now()).toBe(0);
});

test.each(['application/json', 'image/png', 'text/plain', 'application/octet-stream', 'text/html\u0020evil'])(
  'a page of type %s is malformed and its body is not waited for',
  async (type) => {
    const { url, requests } = await serve((_, response) => {
      response.writeHead(200, { 'content-type': type }).write(PAGE);
    });
    expect(await get(url)).toMatchObject({ status: 'malformed', error: { code: 'source-malformed' } });
    expect(requests).toHaveLength(1);
  },
);

test('Markdown and JSON may come as plain text, as from raw file servers, but not as a page', async () => {
  const { url } = await serve((request, response) => {
    response
      .writeHead(200, { 'content-type': request.url === '/page' ? 'text/html' : 'text/plain' })
      .end('x');
  });
  for (const kind of ['markdown', 'json', 'text'] as const) {
    expect((await get(url, { kind })).ok).toBe(true);
    expect(await get(`${url}/page`, { kind })).toMatchObject({ status: 'malformed' });
  }
});

test('a redirect to the same path, or to it with a slash, is followed', async () => {
  const { url } = await serve((request, response) => {
    if (request.url === '/status') response.writeHead(308, { location: '/status/' }).end();
    else response.writeHead(200, HTML).end(PAGE);
  });
  expect((await get(`${url}/status`)).ok).toBe(true);
});

test.each([
  ['/elsewhere', 'another path'],
  ['https://127.0.0.1:1/status', 'another scheme and port'],
  ['http://localhost/status', 'another host'],
  ['//evil.example/status', 'another host without a scheme'],
  ['http://a:b@127.0.0.1/status', 'a user'],
  ['http://[', 'nonsense'],
])('a redirect to %s means that the page moved', async (location) => {
  const { url, requests } = await serve((_, response) => {
    response.writeHead(302, { location }).end();
  });
  const fetched = await get(`${url}/status`);
  expect(fetched).toMatchObject({ status: 'moved', error: { code: 'source-moved' } });
  expect(requests).toHaveLength(1);
});

test('a redirect to itself is given up', async () => {
  const { url } = await serve((_, response) => {
    response.writeHead(301, { location: '/status' }).end();
  });
  const fetched = await get(`${url}/status`, { limits: { retries: 0 } });
  expect(fetched).toMatchObject({
    status: 'unreachable',
    error: { message: expect.stringContaining('again and again') },
  });
});

test('a body over the limit is not read to its end, with or without a length', async () => {
  const { url, requests } = await serve((_, response) => {
    response.writeHead(200, HTML);
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    };
    response.on('drain', more);
    more();
  });
  const fetched = await get(url);
  expect(fetched).toMatchObject({
    status: 'unreachable',
    error: { message: expect.stringContaining('5000000 bytes') },
  });
  expect(requests).toHaveLength(1);
});

test.each([
  ['gzip', gzipSync],
  ['br', brotliCompressSync],
] as const)('a bomb in %s is counted as it unfolds', async (encoding, compress) => {
  const bomb = compress(Buffer.alloc(50_000_000));
  expect(bomb.length).toBeLessThan(100_000);
  const { url } = await serve((_, response) => {
    response.writeHead(200, { ...HTML, 'content-encoding': encoding }).end(bomb);
  });
  expect(await get(url)).toMatchObject({
    error: { message: expect.stringContaining('larger than 5000000 bytes') },
  });
});

test.each(['compress', 'gzip, gzip', 'zstd'])(
  'an encoding that nobody asked for, %s, is malformed',
  async (encoding) => {
    const { url } = await serve((_, response) => {
      response.writeHead(200, { ...HTML, 'content-encoding': encoding }).end(gzipSync(gzipSync(PAGE)));
    });
    expect(await get(url)).toMatchObject({ status: 'malformed' });
  },
);

test.each([
  ['a body shorter than its length', { 'content-length': '1000' }, Buffer.from(PAGE)],
  ['a compressed body that was cut', { 'content-encoding': 'gzip' }, gzipSync(PAGE).subarray(0, 20)],
  ['a compressed body that is none', { 'content-encoding': 'gzip' }, Buffer.from(PAGE)],
])('%s is unreachable and tried again', async (_, headers, body) => {
  const { url, requests } = await serve((request, response) => {
    response.writeHead(200, { ...HTML, ...headers }).write(body, () => {
      if ('content-length' in headers) request.socket.destroy();
      else response.end();
    });
  });
  expect(await get(url)).toMatchObject({ status: 'unreachable', error: { code: 'source-unreachable' } });
  expect(requests).toHaveLength(4);
});

test('a chunked body that ends without its last chunk is unreachable', async () => {
  const { url } = await serve((request, response) => {
    response.writeHead(200, HTML).write(PAGE, () => request.socket.destroy());
  });
  expect(await get(url)).toMatchObject({ status: 'unreachable' });
});

test('a connection that is reset, and a port that nobody serves, are unreachable and say so', async () => {
  const { url, requests, server } = await serve((request) => {
    request.socket.resetAndDestroy();
  });
  expect(await get(url)).toMatchObject({
    error: { message: expect.stringContaining('the connection was cut') },
  });
  expect(requests).toHaveLength(4);
  await new Promise((resolve) => server.close(resolve));
  expect(await get(url)).toMatchObject({
    error: { message: expect.stringContaining('refused (ECONNREFUSED)') },
  });
});

test('an answer that is no HTTP is unreachable', async () => {
  const server = createServer((socket) => socket.on('error', () => undefined).end('\u001b[2Jhello\r\n\r\n'));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const fetched = await get(`http://127.0.0.1:${port}/`);
  expect(fetched).toMatchObject({ status: 'unreachable' });
  if (!fetched.ok) expect(fetched.error.message).not.toMatch(/\p{Cc}/u);
});

test.each([
  ['never answers', () => undefined],
  ['never ends', (response: { write: (text: string) => void }) => response.write(PAGE)],
])('a server that %s is given up after its time, and tried again', async (_, begin) => {
  const { url, requests } = await serve((_request, response) => {
    if (begin.length > 0) response.writeHead(200, HTML);
    begin(response);
  });
  const fetched = await get(url, { limits: { tryMs: 50, retries: 1 } });
  expect(fetched).toMatchObject({
    status: 'unreachable',
    error: { message: expect.stringContaining('within 0.05 s') },
  });
  expect(requests).toHaveLength(2);
});

test('a source is given up after the time for all its tries, waits included', async () => {
  const { url } = await serve(() => undefined);
  const limits = { tryMs: 40, totalMs: 100, retries: 1000 };
  const fetched = await get(url, { clock: systemClock, limits });
  expect(fetched).toMatchObject({
    error: { message: expect.stringContaining('within 0.1 s, tries included') },
  });
});

test('the end of the run ends the fetch, with the reason of the run', async () => {
  const run = new AbortController();
  const { url } = await serve(() =>
    run.abort(new TransientError('deadline', 'the run reached its deadline')),
  );
  const fetched = await get(url, { signal: run.signal });
  expect(fetched).toMatchObject({ status: 'unreachable', error: { code: 'deadline' } });
  expect(await get(url, { signal: AbortSignal.abort() })).toMatchObject({
    error: { code: 'source-unreachable' },
  });
});

test.each([
  'https://10.0.0.1/',
  'https://169.254.169.254/latest/meta-data',
  'https://192.168.1.1/',
  'https://[fd00::1]/',
  'https://[::ffff:10.0.0.1]/',
  'https://0x0a.1/',
  'https://100.64.0.1/',
])('%s is refused before any request, behind a proxy too', async (url) => {
  const proxy = await serveProxy('http://127.0.0.1:1');
  for (const env of [{}, { HTTPS_PROXY: proxy.url }])
    expect(await get(url, { env })).toMatchObject({
      status: 'unreachable',
      error: { code: 'source-refused' },
    });
  expect(proxy.seen).toEqual([]);
});

test.each(['http://example.org/', 'file:///etc/passwd', 'nonsense', 'https://a:b@example.org/'])(
  '%s is refused whoever asks for it',
  async (url) => {
    const fetched = await get(url);
    expect(fetched).toMatchObject({ error: { code: 'source-refused' } });
    expect(JSON.stringify(fetched)).not.toContain('a:b');
  },
);

test('a name that resolves to private addresses only is refused, whatever it is called', async () => {
  const asked: string[] = [];
  const resolve = async (host: string) => {
    asked.push(host);
    return [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
      { address: 'fe80::1%eth0', family: 6 },
      { address: '169.254.169.254', family: 4 },
    ];
  };
  const fetched = await get('https://docs.example.org/', { resolve });
  expect(fetched).toMatchObject({ error: { code: 'source-refused' } });
  expect(asked).toEqual(['docs.example.org']);
});

test('localhost that resolves elsewhere is refused', async () => {
  const resolve = async () => [{ address: '34.19.100.134', family: 4 }];
  expect(await get('http://localhost:1/', { resolve })).toMatchObject({ error: { code: 'source-refused' } });
});

test('a name that does not resolve is unreachable and says so', async () => {
  const resolve = async () => {
    throw Object.assign(new Error('queryA ENOTFOUND'), { code: 'ENOTFOUND' });
  };
  const fetched = await get('https://docs.example.org/', { resolve });
  expect(fetched).toMatchObject({
    error: { message: expect.stringContaining('does not resolve (ENOTFOUND)') },
  });
});

test.each(['HTTP_PROXY', 'http_proxy'])('%s is used for plain http', async (name) => {
  const { url, requests } = await serve((_, response) => {
    response.writeHead(200, HTML).end(PAGE);
  });
  const proxy = await serveProxy(url);
  expect((await get('http://127.0.0.1:9/status', { env: { [name]: proxy.url } })).ok).toBe(true);
  expect(proxy.seen).toEqual(['GET http://127.0.0.1:9/status']);
  expect(requests).toHaveLength(1);
});

test('HTTPS_PROXY is asked for a tunnel by name, and NO_PROXY goes around it', async () => {
  const { url } = await serve((_, response) => {
    response.writeHead(200, HTML).end(PAGE);
  });
  const proxy = await serveProxy(url);
  const env = { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.1' };
  expect(await get('https://docs.example.org/status', { env, limits: { retries: 0 } })).toMatchObject({
    ok: false,
  });
  expect(proxy.seen).toEqual(['CONNECT docs.example.org:443']);
  expect((await get(url, { env })).ok).toBe(true);
  expect(proxy.seen).toHaveLength(1);
});

test('a proxy that is no URL is named without its text, which may hold a password', async () => {
  const fetched = await get('https://docs.example.org/', { env: { HTTPS_PROXY: 'me:s3cret@proxy' } });
  expect(fetched).toMatchObject({ ok: false });
  expect(JSON.stringify(fetched)).not.toContain('s3cret');
});

test('the query of a URL is in no message', async () => {
  const { url } = await serve((_, response) => {
    response.writeHead(404).end();
  });
  const fetched = await get(`${url}/x?token=s3cret`);
  expect(JSON.stringify(fetched)).not.toContain('s3cret');
});
