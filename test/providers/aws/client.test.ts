import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { accessSchema, openEc2, placeOf } from '../../../providers/aws/client.ts';
import { provider } from '../../../providers/aws/security-group.ts';
import type { EmulatorResponse } from '../../../src/emulators/server.ts';
import { US } from '../../provider-suite.ts';
import { testIo } from '../../support/io.ts';
import { ALLOW, answer, environment, GROUP, page, refusal, scripted } from './fixture.ts';

const ROLE = 'arn:aws:iam::123456789012:role/sync';
const { cache } = createRequire(import.meta.url);

/** What of the SDK is loaded: it is CommonJS, so Node keeps count. */
const loaded = (name: string) =>
  Object.keys(cache).some((path) => path.includes(`/node_modules/@aws-sdk/${name}/`));

afterEach(() => vi.unstubAllEnvs());

// First in this file: the SDK warns once a process.
test('the SDK is loaded when a target is opened, credential providers when they are needed, and nobody is warned', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on('warning', note);
  onTestFinished(() => {
    process.off('warning', note);
  });
  vi.stubEnv('AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED', undefined);

  const options = provider.options.parse({ region: 'us-west-2', groupId: GROUP, allow: ALLOW });
  provider.describe({ identity: US, options, baseDir: '/' });
  expect(loaded('client-ec2')).toBe(false);
  await openEc2({ region: 'us-west-2' }, testIo());
  expect(loaded('client-ec2')).toBe(true);
  expect(loaded('credential-providers')).toBe(false);
  await openEc2({ region: 'us-west-2', profile: 'prod' }, testIo());
  expect(loaded('credential-providers')).toBe(true);

  await setImmediate();
  expect(warnings).toEqual([]);
  expect(process.env).not.toHaveProperty('AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED');
});

/** Reads once, and gives the key that each request was signed with. */
async function keysUsed(access: object, env: Record<string, string>, assume?: EmulatorResponse) {
  const keys: string[] = [];
  const bodies: string[] = [];
  const { url } = await scripted((action, _, { headers, body }) => {
    keys.push(`${action} ${/Credential=(\w+)\//.exec(headers.authorization ?? '')?.[1]}`);
    bodies.push(body);
    return action === 'AssumeRole' ? (assume ?? assumed('ASIAASSUMED')) : page([{}]);
  });
  const io = testIo({ env: { AWS_ENDPOINT_URL: url, ...env } });
  const options = provider.options.parse({ region: 'us-west-2', groupId: GROUP, allow: ALLOW, ...access });
  const opened = await provider.open({ identity: US, options, baseDir: '/' }, io);
  const error: unknown = await opened.read().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { keys, bodies, error, operations: io.operations };
}

function assumed(key: string): EmulatorResponse {
  const secrets = '<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>';
  const credentials = `<AccessKeyId>${key}</AccessKeyId>${secrets}<Expiration>2099-01-01T00:00:00Z</Expiration>`;
  return answer(
    'AssumeRole',
    `<AssumeRoleResult><Credentials>${credentials}</Credentials></AssumeRoleResult>`,
  );
}

const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = environment('');
const KEYS = {
  AWS_ACCESS_KEY_ID: AWS_ACCESS_KEY_ID ?? '',
  AWS_SECRET_ACCESS_KEY: AWS_SECRET_ACCESS_KEY ?? '',
};

/** A credentials file with one profile, where the SDK looks for it. */
async function stubProfile(name: string, key: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'aws-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'credentials');
  await writeFile(file, `[${name}]\naws_access_key_id = ${key}\naws_secret_access_key = s\n`);
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', file);
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'));
}

test('the credentials of the environment are used', async () => {
  const { keys } = await keysUsed({}, KEYS);
  expect(keys).toEqual(['DescribeSecurityGroupRules AKIAIOSFODNN7EXAMPLE']);
});

test('a profile goes before the environment', async () => {
  await stubProfile('prod', 'AKIAPROFILE');
  const { keys } = await keysUsed({ profile: 'prod' }, KEYS);
  expect(keys).toEqual(['DescribeSecurityGroupRules AKIAPROFILE']);
});

test('a role is assumed with what credentials there are, and only requests to EC2 are counted', async () => {
  const { keys, bodies, operations } = await keysUsed(
    { assumeRole: { roleArn: ROLE, externalId: 'for-acme' } },
    KEYS,
  );
  expect(keys).toEqual(['AssumeRole AKIAIOSFODNN7EXAMPLE', 'DescribeSecurityGroupRules ASIAASSUMED']);
  expect(Object.fromEntries(new URLSearchParams(bodies[0]))).toMatchObject({
    RoleArn: ROLE,
    RoleSessionName: 'allowlist-sync',
    ExternalId: 'for-acme',
  });
  expect(operations).toEqual(['DescribeSecurityGroupRules']);
});

test('a role is assumed with the credentials of the profile', async () => {
  await stubProfile('prod', 'AKIAPROFILE');
  const { keys } = await keysUsed({ profile: 'prod', assumeRole: ROLE }, KEYS);
  expect(keys).toEqual(['AssumeRole AKIAPROFILE', 'DescribeSecurityGroupRules ASIAASSUMED']);
});

test('a role that may not be assumed is a missing permission that names it', async () => {
  const denied = {
    status: 403,
    body: refusal('AccessDenied', 'No.')
      .body.replaceAll('Response>', 'ErrorResponse>')
      .replaceAll(/<\/?Errors>/g, ''),
  };
  const { error, keys } = await keysUsed({ assumeRole: ROLE }, KEYS, denied);
  expect(error).toMatchObject({
    code: 'permission-missing',
    message: expect.stringContaining(`no permission sts:AssumeRole on role ${ROLE}`),
  });
  expect(keys).toHaveLength(1);
});

test('a profile that does not exist is missing credentials, without any request', async () => {
  await stubProfile('prod', 'AKIAPROFILE');
  const { error, keys } = await keysUsed({ profile: 'prd' }, KEYS);
  expect(error).toMatchObject({ code: 'credentials-missing', message: expect.stringContaining('[prd]') });
  expect(keys).toEqual([]);
});

test('no credentials anywhere are missing credentials', async () => {
  await stubProfile('prod', 'AKIAPROFILE');
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE'])
    vi.stubEnv(name, undefined);
  const { error } = await keysUsed({}, {});
  expect(error).toMatchObject({ code: 'credentials-missing', message: expect.stringContaining(GROUP) });
});

test('the endpoint of the service goes before the general one', async () => {
  const own = await scripted(() => page([{}]));
  const general = await scripted(() => page([{}]));
  const read = async (env: Record<string, string>) => {
    const options = provider.options.parse({ region: 'us-west-2', groupId: GROUP, allow: ALLOW });
    const io = testIo({ env: { ...KEYS, ...env }, callTimeoutMs: 2000 });
    await (await provider.open({ identity: US, options, baseDir: '/' }, io)).read();
  };
  await read({ AWS_ENDPOINT_URL_EC2: own.url, AWS_ENDPOINT_URL: general.url });
  expect([own.requests.length, general.requests.length]).toEqual([1, 0]);
  await read({ AWS_ENDPOINT_URL: general.url });
  expect([own.requests.length, general.requests.length]).toEqual([1, 1]);
});

test.each([
  [{ accountId: '123456789012', profile: 'prod' }, {}, 'us-west-2, account 123456789012'],
  [{ assumeRole: ROLE }, {}, `us-west-2, account of role ${ROLE}`],
  [{ profile: 'prod' }, { AWS_PROFILE: 'other' }, 'us-west-2, account of profile prod'],
  [{}, { AWS_PROFILE: 'other' }, 'us-west-2, account of profile other'],
  [{}, {}, 'us-west-2, account of the default credentials'],
])('messages place %j in %j at «%s»', (access, env, expected) => {
  expect(placeOf(accessSchema.parse({ region: 'us-west-2', ...access }), env)).toBe(expected);
});
