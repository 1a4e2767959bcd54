import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GoogleAuth } from 'google-auth-library';
import { fallback } from 'google-gax';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { credentialsOf, endpointOf } from '../../../providers/gcp/credentials.ts';
import { reachable } from '../../../providers/gcp/lean.ts';
import type { Snapshot } from '../../../providers/provider.ts';
import { toCidr } from '../../../src/cidr.ts';
import { startCompute } from '../../../src/emulators/compute/index.ts';
import type { EmulatorResponse } from '../../../src/emulators/server.ts';
import { US } from '../../provider-suite.ts';
import { changesFor, wantedOf } from '../../support/converge.ts';
import { emulator, json, openAt, PROJECT, RULE, SERVICES, scripted } from './fixture.ts';

const NOTHING: Snapshot = { entries: [], beside: [], settings: [], capacity: [], warnings: [] };
const EMPTY = { kind: 'compute#firewallList', id: 'x' };
const ADD = changesFor(wantedOf([toCidr('34.19.100.134')], SERVICES), NOTHING, US);

function refused(status: number, reason: string, message: string, headers: Record<string, string> = {}) {
  return json({ error: { code: status, message, errors: [{ reason, message }] } }, status, headers);
}

/** What reading ends with when the service answers every request so. */
async function reading(answer: EmulatorResponse): Promise<unknown> {
  const { url } = await scripted(() => answer);
  const { opened } = await openAt(url);
  return opened.read().catch((error: unknown) => error);
}

describe('a listing', () => {
  test.each([
    ['an empty object', {}],
    ['a list of something else', { kind: 'compute#networkList', items: [] }],
    ['an item without a name', { ...EMPTY, items: [{ network: 'global/networks/default' }] }],
    ['an item without a network', { ...EMPTY, items: [{ name: 'a' }] }],
    ['items that are no list', { ...EMPTY, items: 'none' }],
    ['an array', []],
    ['null', null],
  ])('that answers with %s is a failed read, and not an empty one', async (_, body) => {
    expect(await reading(json(body))).toMatchObject({ code: 'bad-answer' });
  });

  test('that answers 200 with a page of a proxy is a failure that may pass', async () => {
    expect(await reading({ status: 200, body: '<html></html>' })).toMatchObject({ code: 'service-error' });
    expect(await reading({ status: 200, body: '' })).toMatchObject({ code: 'service-error' });
  });

  test('that repeats a page token is a failed read', async () => {
    const { url, received } = await scripted((_, nth) =>
      json({ ...EMPTY, nextPageToken: ['a', 'b', 'a'][nth % 3] }),
    );
    const { opened } = await openAt(url);
    await expect(opened.read()).rejects.toMatchObject({ code: 'bad-answer' });
    expect(received).toHaveLength(3);
  });

  test('whose second page fails is a failed read', async () => {
    const { url } = await scripted((_, nth) =>
      nth === 0 ? json({ ...EMPTY, nextPageToken: 'a' }) : refused(400, 'invalid', 'Invalid page token'),
    );
    const { opened } = await openAt(url);
    await expect(opened.read()).rejects.toMatchObject({ code: 'request-refused' });
  });

  test('asks for one network and the largest page', async () => {
    const { url, received } = await scripted(() => json(EMPTY));
    const { opened } = await openAt(url);
    await opened.read();
    const query = new URL(received[0]?.url ?? '', url).searchParams;
    expect(Object.fromEntries(query)).toMatchObject({
      filter: 'network eq .*/global/networks/default',
      maxResults: '500',
    });
  });
});

describe('a refusal', () => {
  test.each([
    [refused(403, 'rateLimitExceeded', 'Rate Limit Exceeded'), 'throttled', 60_000],
    [
      refused(403, 'rateLimitExceeded', 'Rate Limit Exceeded', { 'retry-after': '7' }),
      ...(['throttled', 7_000] as const),
    ],
    [refused(403, 'userRateLimitExceeded', 'Too fast'), 'throttled', 60_000],
    [refused(429, 'rateLimitExceeded', 'Too Many Requests'), 'throttled', 60_000],
    [refused(500, 'internalError', 'Internal Error'), 'service-error', undefined],
    [refused(503, 'backendError', 'Try again', { 'retry-after': '1' }), 'service-error', 1_000],
    [
      refused(503, 'backendError', 'Try again', {
        date: 'Mon, 23 Nov 2026 04:00:00 GMT',
        'retry-after': 'Mon, 23 Nov 2026 04:00:30 GMT',
      }),
      ...(['service-error', 30_000] as const),
    ],
    [{ status: 502, body: '<html>Bad Gateway</html>' }, 'service-error', undefined],
  ])('%j may pass (%s)', async (answer, code, retryAfterMs) => {
    expect(await reading(answer)).toMatchObject({ code, transient: true, retryAfterMs });
  });

  test.each([
    [
      refused(403, 'forbidden', "Required 'compute.firewalls.list' permission for 'projects/x'"),
      'permission-missing',
      'compute.firewalls.list',
    ],
    [
      refused(403, 'forbidden', "Permission 'compute.networks.updatePolicy' denied on resource"),
      'permission-missing',
      'compute.networks.updatePolicy',
    ],
    [refused(403, 'forbidden', 'Forbidden'), 'permission-missing', 'compute.firewalls.list'],
    [
      refused(403, 'accessNotConfigured', 'Compute Engine API has not been used in project 1'),
      'permission-missing',
      'has not been used',
    ],
    [refused(403, 'quotaExceeded', "Quota 'FIREWALLS' exceeded"), 'request-refused', 'FIREWALLS'],
    [refused(401, 'authError', 'Invalid Credentials'), 'credentials-missing', 'Invalid Credentials'],
    [refused(404, 'notFound', `The resource 'projects/${PROJECT}' was not found`), 'target-missing', PROJECT],
    [
      refused(400, 'invalid', 'Invalid value\nfor\u001b[31m field'),
      'request-refused',
      'Invalid value for [31m field',
    ],
  ])('%j is final (%s)', async (answer, code, mention) => {
    expect(await reading(answer)).toMatchObject({
      code,
      transient: false,
      message: expect.stringContaining(mention),
    });
  });

  test('is not tried again when it is final, and tried again by nobody but us when it may pass', async () => {
    for (const [answer, tries] of [
      [refused(403, 'forbidden', 'no'), 1],
      [refused(401, 'authError', 'no'), 1],
      [refused(503, 'backendError', 'no'), 6],
    ] as const) {
      const { url, received } = await scripted(() => answer);
      const { opened, io } = await openAt(url);
      await opened.read().catch(() => undefined);
      expect([received.length, io.operations.length]).toEqual([tries, tries]);
    }
  });
});

test('a service that never answers is given up when the call’s time is over', async () => {
  const compute = await emulator({ fault: () => ({ kind: 'hang', when: 'before' }) });
  const { opened } = await openAt(compute.url, {}, US, {
    env: { CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE: `${compute.url}/compute/v1/` },
    callTimeoutMs: 30,
  });
  await expect(opened.read()).rejects.toMatchObject({ code: 'timeout', transient: true });
});

test('a service that cannot be reached may come back', async () => {
  const compute = await startCompute();
  await compute.close();
  const { opened } = await openAt(compute.url);
  await expect(opened.read()).rejects.toMatchObject({ code: 'unreachable', transient: true });
});

test('an operation that was answered as something else is a failed write', async () => {
  for (const body of [{}, { name: 'operation-1' }, { kind: 'compute#operation', status: 'DONE' }]) {
    const { url } = await scripted(() => json(body));
    const { opened } = await openAt(url);
    await expect(opened.write(ADD, NOTHING)).rejects.toMatchObject({ code: 'bad-answer' });
  }
});

test('an operation that is done at once is not waited for, and its error is read', async () => {
  const done = { kind: 'compute#operation', name: 'operation-1', status: 'DONE' };
  const good = await scripted(() => json(done));
  const { opened, io } = await openAt(good.url);
  await opened.write(ADD, NOTHING);
  expect(io.operations).toEqual(['firewalls.insert']);
  const bad = await scripted(() => json({ ...done, error: {} }));
  await expect((await openAt(bad.url)).opened.write(ADD, NOTHING)).rejects.toMatchObject({
    code: 'request-refused',
  });
});

test('an insert is sent whole, with its ranges and a request id', async () => {
  const { url, received } = await scripted(() =>
    json({ kind: 'compute#operation', name: 'operation-1', status: 'DONE' }),
  );
  await (await openAt(url)).opened.write(ADD, NOTHING);
  const [request] = received;
  expect(request?.method).toBe('POST');
  expect(new URL(request?.url ?? '', url).searchParams.get('requestId')).toMatch(/^[0-9a-f-]{36}$/);
  expect(JSON.parse(request?.body ?? '')).toMatchObject({ name: RULE, sourceRanges: ['34.19.100.134/32'] });
});

describe('the endpoint', () => {
  afterEach(() => vi.unstubAllEnvs());

  test('is the real one without an override', () => {
    expect(endpointOf({})).toEqual({
      protocol: 'https',
      host: 'compute.googleapis.com',
      port: 443,
      loopback: false,
    });
  });

  test.each([
    ['http://127.0.0.1:9000/compute/v1/', 'http', '127.0.0.1', 9000, true],
    ['http://localhost:9000/compute/v1', 'http', 'localhost', 9000, true],
    ['http://[::1]:9000/compute/v1/', 'http', '[::1]', 9000, true],
    ['https://compute.example.com/compute/v1/', 'https', 'compute.example.com', 443, false],
  ])('%s is taken', (text, protocol, host, port, loopback) => {
    const env = { CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE: text };
    expect(endpointOf(env)).toEqual({ protocol, host, port, loopback });
  });

  test.each([
    'http://10.0.0.1/compute/v1/',
    'http://127.0.0.1.example.com/compute/v1/',
    'http://127.0.0.1:9000/',
    'http://127.0.0.1:9000/compute/beta/',
    'https://user:secret-word@compute.example.com/compute/v1/',
    'https://compute.example.com/compute/v1/?a=b',
    'ftp://127.0.0.1/compute/v1/',
    'compute.example.com',
  ])('%s is invalid config', (text) => {
    const env = { CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE: text };
    expect(() => endpointOf(env)).toThrow(
      expect.objectContaining({
        code: 'config-invalid',
        message: expect.not.stringContaining('secret-word'),
      }),
    );
  });

  test('behind a proxy, loopback is reached directly', async () => {
    vi.stubEnv('HTTPS_PROXY', 'http://127.0.0.1:1');
    vi.stubEnv('HTTP_PROXY', 'http://127.0.0.1:1');
    const compute = await emulator();
    expect((await (await openAt(compute.url)).opened.read()).entries).toEqual([]);
  });
});

describe('credentials', () => {
  const real = endpointOf({});
  const url = 'https://compute.googleapis.com/compute/v1/projects/p/global/firewalls';
  const adc = () => credentialsOf(real, {}, (scopes) => new GoogleAuth({ scopes }));
  afterEach(() => vi.unstubAllEnvs());

  test('are not sent to an emulator, also where there are some', async () => {
    const { url: at, received } = await scripted(() => json(EMPTY));
    const env = {
      CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE: `${at}/compute/v1/`,
      GOOGLE_OAUTH_ACCESS_TOKEN: 'canary',
    };
    await (await openAt(at, {}, US, { env })).opened.read();
    expect(received[0]?.headers.authorization).toBeUndefined();
  });

  test('are the token of the environment, where there is one', async () => {
    const credentials = credentialsOf(real, { GOOGLE_OAUTH_ACCESS_TOKEN: ' ya29.token\n' }, () =>
      expect.unreachable('no other credentials are looked for'),
    );
    expect((await credentials(url)).get('authorization')).toBe('Bearer ya29.token');
  });

  test('a token that is none is refused without being shown', () => {
    const env = { GOOGLE_OAUTH_ACCESS_TOKEN: 'canary canary' };
    expect(() => credentialsOf(real, env, () => expect.unreachable())).toThrow(
      expect.objectContaining({
        code: 'credentials-missing',
        message: expect.not.stringContaining('canary'),
      }),
    );
  });

  test('that are nowhere to be found are a fatal error that says what to do, and nothing is left unhandled', async () => {
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '');
    vi.stubEnv('METADATA_SERVER_DETECTION', 'none');
    vi.stubEnv('HOME', join(tmpdir(), 'nobody-lives-here'));
    await expect(adc()(url)).rejects.toMatchObject({
      code: 'credentials-missing',
      hint: expect.stringContaining('gcloud auth application-default login'),
    });
  });

  test('in a file that is missing or unreadable are a fatal error that quotes nothing of it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'allowlist-adc-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const files = { 'cut.json': '{"private_key": canary', 'other.json': '{"canary": 1}' };
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
    for (const name of ['none.json', ...Object.keys(files)]) {
      vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', join(folder, name));
      const error: unknown = await adc()(url).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'credentials-missing' });
      expect(String(error)).not.toContain('canary');
    }
  });
});

test('the part of the protocol that is kept defines its messages as the whole does', () => {
  const whole = createRequire(import.meta.url)('@google-cloud/compute/build/protos/protos.json');
  const kept = reachable(whole, ['Firewalls', 'GlobalOperations']);
  expect(JSON.stringify(kept).length).toBeLessThan(100_000);
  const [small, large] = [kept, whole].map((json) => fallback.protobuf.Root.fromJSON(json));
  for (const name of ['Firewall', 'FirewallList', 'Operation', 'PatchFirewallRequest']) {
    const [a, b] = [small, large].map((root) => root?.lookupType(`google.cloud.compute.v1.${name}`).toJSON());
    expect(a).toEqual(b);
  }
  expect(small?.resolveAll()).toBe(small);
});
