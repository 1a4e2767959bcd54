import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { channelId, channelLabel, deliver } from '../../src/alerts/channel.ts';
import { type Delivery, deliverAll, resultsOf } from '../../src/alerts/index.ts';
import type { ChannelConfig } from '../../src/alerts/schema.ts';
import type { Alert } from '../../src/alerts/types.ts';
import { verifySignature, webhookDocumentSchema } from '../../src/alerts/webhook.ts';
import { instantClock } from '../support/io.ts';

const PATH = '/services/T00000000/B00000000/canary-path';
const SECRET = 'canary-secret-0123456789';

const alert: Alert = {
  id: 'i1',
  type: 'target.failed',
  of: null,
  key: 'target.failed:orders-db',
  severity: 'error',
  reason: 'began',
  title: 'orders-db failed – ß',
  lines: ['no permission'],
  action: 'Grant it.',
  since: 0,
  at: 0,
  fingerprint: 'f',
  lasting: true,
};
const batch = { owner: 'acme-prod', runId: 'r1', version: '0.1.0', alerts: [alert] };

interface Received {
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

type Answer = (response: ServerResponse, count: number, request: Received) => void;

const ok: Answer = (response) => response.end('ok');

/** A receiver on loopback. */
async function receiver(answer: Answer = ok): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push({ url: request.url, headers: request.headers, body: Buffer.concat(chunks) });
    answer(response, received.length, {
      url: request.url,
      headers: request.headers,
      body: Buffer.concat(chunks),
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${PATH}`, received };
}

function delivery(given: Partial<Delivery> = {}): Delivery {
  return { clock: instantClock(), random: () => 0, signal: new AbortController().signal, env: {}, ...given };
}

function slack(webhookUrl: string): ChannelConfig {
  return { type: 'slack', webhookUrl };
}

async function failure(channel: ChannelConfig, given: Partial<Delivery> = {}): Promise<string> {
  const error: unknown = await deliver(channel, batch, delivery(given)).then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(error).toMatchObject({ code: 'channel-failed', transient: false });
  expect(error).not.toHaveProperty('cause');
  return error instanceof Error ? error.message : '';
}

test('Slack gets one message with blocks and a fallback text', async () => {
  const { url, received } = await receiver();
  await deliver(slack(url), batch, delivery());
  expect(received).toHaveLength(1);
  expect(received[0]).toMatchObject({
    url: PATH,
    headers: { 'content-type': 'application/json', 'user-agent': 'allowlist-sync/0.1.0' },
  });
  expect(JSON.parse(String(received[0]?.body))).toMatchObject({
    text: expect.stringContaining('orders-db failed – ß'),
    blocks: [{ type: 'section' }, { type: 'context' }],
  });
});

test('a receiver can verify the signature with the verifier we give, and with no code of ours', async () => {
  const { url, received } = await receiver();
  const clock = instantClock(1_767_225_600_500);
  await deliver(
    { type: 'webhook', url, secret: SECRET, headers: { 'X-Team': 'data' } },
    batch,
    delivery({ clock }),
  );
  const { headers, body }: Pick<Received, 'headers' | 'body'> = received[0] ?? {
    headers: {},
    body: Buffer.alloc(0),
  };
  const header = String(headers['x-allowlist-sync-signature']);
  expect(verifySignature({ secret: SECRET, header, body, now: clock.now() })).toBe(true);
  expect(verifySignature({ secret: SECRET, header, body: `${body} `, now: clock.now() })).toBe(false);
  const [t, v1] = header.split(',').map((part) => part.split('=')[1]);
  expect(t).toBe('1767225600');
  expect(createHmac('sha256', SECRET).update(`${t}.`).update(body).digest('hex')).toBe(v1);
  expect(headers['x-team']).toBe('data');
  expect(webhookDocumentSchema.parse(JSON.parse(String(body))).alerts).toMatchObject([{ key: alert.key }]);
});

test('without a secret there is no signature', async () => {
  const { url, received } = await receiver();
  await deliver({ type: 'webhook', url }, batch, delivery());
  expect(received[0]?.headers).not.toHaveProperty('x-allowlist-sync-signature');
});

test('a receiver that fails twice is asked three times, and signed for anew each time', async () => {
  const { url, received } = await receiver((response, count) => {
    response.writeHead(count < 3 ? 503 : 204, { 'retry-after': '7' }).end();
  });
  const clock = instantClock();
  await deliver({ type: 'webhook', url, secret: SECRET }, batch, delivery({ clock }));
  expect(received).toHaveLength(3);
  expect(received.map(({ headers }) => String(headers['x-allowlist-sync-signature']).split(',')[0])).toEqual([
    't=0',
    't=7',
    't=14',
  ]);
});

test('a receiver that goes on failing is given up after three tries', async () => {
  const { url, received } = await receiver((response) => response.writeHead(500).end('oops'));
  expect(await failure(slack(url))).toMatch(/^slack at 127\.0\.0\.1:\d+: answered 500 «oops»$/);
  expect(received).toHaveLength(3);
});

test('a receiver that asks for a minute is left to the next run', async () => {
  const { url, received } = await receiver((response) =>
    response.writeHead(429, { 'retry-after': '60' }).end(),
  );
  expect(await failure(slack(url))).toMatch(/answered 429, and asks to wait 60 s$/);
  expect(received).toHaveLength(1);
});

test.each([301, 400, 403, 404, 410])(
  'an answer of %i is not tried again, and no redirect is followed',
  async (status) => {
    const { url, received } = await receiver((response) =>
      response.writeHead(status, { location: '/' }).end('no_service'),
    );
    expect(await failure(slack(url))).toContain(`answered ${status} «no_service»`);
    expect(received).toHaveLength(1);
  },
);

test('a receiver that never answers, and one that never ends its answer, cost three time limits', async () => {
  for (const answer of [
    () => undefined,
    (response: ServerResponse) => void response.writeHead(500).write('a'),
  ]) {
    const { url, received } = await receiver(answer);
    expect(await failure(slack(url), { timeoutMs: 50 })).toContain('no answer within 0.05 s');
    expect(received).toHaveLength(3);
  }
});

test('a success counts as soon as it is there, also when its text never ends', async () => {
  const { url, received } = await receiver((response) => void response.writeHead(200).write('o'));
  await deliver(slack(url), batch, delivery());
  expect(received).toHaveLength(1);
});

test('an answer without end is read no further than needed', async () => {
  const { url } = await receiver((response) => {
    response.writeHead(400);
    const more = (): void =>
      void response.write('x'.repeat(1000), () => response.writable && setImmediate(more));
    more();
  });
  expect(await failure(slack(url))).toMatch(/answered 400 «x{119}…»$/);
});

test('a host that is not there is told by its code', async () => {
  const { url } = await receiver();
  const port = new URL(url).port;
  const gone = url.replace(port, '1');
  expect(await failure(slack(gone))).toBe('slack at 127.0.0.1:1: could not be reached (ECONNREFUSED)');
});

test('the end of the run ends the tries', async () => {
  const ender = new AbortController();
  const { url, received } = await receiver(() => ender.abort());
  expect(await failure(slack(url), { signal: ender.signal })).toContain('slack at 127.0.0.1');
  expect(received).toHaveLength(1);
});

test('no error shows the URL, the secret or a header, whatever the receiver sends back', async () => {
  const channels = (url: string): ChannelConfig[] => [
    slack(url),
    { type: 'webhook', url, secret: SECRET, headers: { Authorization: 'canary-header-012345' } },
  ];
  const echo: Answer = (response, _, { url, headers }) => {
    const text = `${url} ${encodeURIComponent(String(url))} ${JSON.stringify(headers)} ${SECRET}`;
    response.writeHead(400).end(text.slice(0, 1500));
  };
  const [answering, silent] = [await receiver(echo), await receiver(() => undefined)];
  const messages = await Promise.all([
    ...channels(answering.url).map((channel) => failure(channel)),
    ...channels(silent.url).map((channel) => failure(channel, { timeoutMs: 30 })),
    ...channels('http://127.0.0.1:1/canary-path').map((channel) => failure(channel)),
  ]);
  expect(messages.join('\n')).not.toMatch(/canary/i);
  expect(messages[0]).toContain('***');
});

test('what the receiver says is neutralised before it is shown', async () => {
  const { url } = await receiver((response) => response.writeHead(400).end('\u001b[2Jinvalid\u202epayload'));
  expect(await failure(slack(url))).toContain('«\\u{1b}[2Jinvalid\\u{202e}payload»');
});

test('a proxy of the environment is used, and not for loopback', async () => {
  const asked: string[] = [];
  const inside = await receiver();
  const proxy = createServer();
  proxy.on('connect', (request, client) => {
    asked.push(String(request.url));
    // Whatever it is asked for, it leads to the receiver, which speaks no TLS.
    const upstream = connect(Number(new URL(inside.url).port), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.pipe(client).on('error', () => undefined);
      client.pipe(upstream).on('error', () => undefined);
    });
    upstream.on('error', () => client.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    proxy.close();
    proxy.closeAllConnections();
  });
  const env = {
    HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    HTTP_PROXY: 'http://127.0.0.1:1',
  };
  await failure(slack('https://hooks.slack.example/x'), { env });
  expect(asked).toEqual(Array.from({ length: 3 }, () => 'hooks.slack.example:443'));
  await deliver(slack(inside.url), batch, delivery({ env }));
  expect(inside.received).toHaveLength(1);
});

test('one channel that fails does not stop the others', async () => {
  const good = await receiver();
  const bad = await receiver((response) => response.writeHead(404).end());
  const channels = [slack(bad.url), slack(good.url)];
  const due = channels.map((channel) => ({ channel: channelId(channel), alerts: [alert] }));
  const delivered = await deliverAll(due, channels, batch, delivery());
  expect(delivered.map(({ error }) => error?.code ?? null)).toEqual(['channel-failed', null]);
  expect([...resultsOf(delivered).values()]).toEqual([false, true]);
  expect(good.received).toHaveLength(1);
});

test('a channel is called by its name or its host, never by its URL', () => {
  const url = 'https://hooks.slack.com/services/T/B/canary';
  expect(channelLabel(slack(url))).toBe('slack at hooks.slack.com');
  expect(channelLabel({ type: 'webhook', url, name: 'ops' })).toBe('webhook «ops»');
  expect(channelId(slack(url))).toMatch(/^slack:hooks\.slack\.com:[0-9a-f]{8}$/);
  expect(channelId(slack(url))).not.toBe(channelId(slack(`${url}2`)));
});
