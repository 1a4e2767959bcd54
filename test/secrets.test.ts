import { expect, test } from 'vitest';
import { envSecrets, looksSecret, urlSecrets } from '../src/secrets.ts';

test.each([
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'GOOGLE_OAUTH_ACCESS_TOKEN',
  'SLACK_WEBHOOK_URL',
  'DB_PASSWORD',
  'X-Api-Key',
  'Authorization',
  'SIGNING_KEY',
])('%s is the name of a secret', (name) => {
  expect(looksSecret(name)).toBe(true);
});

test.each([
  'AWS_REGION',
  'AWS_ACCESS_KEY_ID',
  'OWNER',
  'SECRET_NAME',
  'TOKEN_FILE',
  'KEYBOARD',
  'MONKEY',
  'PATH',
])('%s is the name of no secret', (name) => {
  expect(looksSecret(name)).toBe(false);
});

test('the environment has secrets by their names, and in its proxies, and never a path or a short word', () => {
  const env = {
    AWS_SECRET_ACCESS_KEY: 'canary-key',
    GOOGLE_APPLICATION_CREDENTIALS: '/home/me/key.json',
    USE_TOKEN: 'true',
    HTTPS_PROXY: 'http://me:p%40ssw0rd@proxy.example:3128',
    https_proxy: 'http://proxy.example:3128',
    REGION: 'us-west-2',
    GONE_TOKEN: undefined,
  };
  expect(envSecrets(env)).toEqual(['canary-key', 'me:p%40ssw0rd', 'p%40ssw0rd', 'p@ssw0rd']);
});

test('a URL that is none has no secrets', () => {
  expect(urlSecrets('not a url?token=canary-canary')).toEqual([]);
});
