import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { AWS_TARGET, configWith, folder, load, refusal } from './support.ts';

test('the environment gives the values that the config refers to, and of them the secrets are told apart', async () => {
  const config = configWith({
    alerts: [{ type: 'slack', webhookUrl: '${SLACK_WEBHOOK_URL}' }],
    targets: [{ ...AWS_TARGET, region: '${REGION}' }],
  });
  const url = 'https://hooks.slack.com/services/T0/B0/canary';
  const loaded = await load(config, { SLACK_WEBHOOK_URL: url, REGION: 'eu-west-1', OTHER: 'not-used' });
  expect(loaded.alerts).toMatchObject([{ type: 'slack', webhookUrl: url }]);
  expect(loaded.targets[0]?.description.object).toContain('eu-west-1');
  expect(loaded.secrets).toEqual([url]);
});

test('what a channel holds is a secret even when it is written out', async () => {
  const alerts = [
    {
      type: 'webhook',
      name: 'on-call',
      url: 'https://example.org/hook/canary',
      secret: 'canary-canary-canary',
      headers: { Authorization: 'Bearer canary' },
    },
  ];
  expect((await load(configWith({ alerts }))).secrets).toEqual([
    'https://example.org/hook/canary',
    'canary-canary-canary',
    'Bearer canary',
    'canary',
  ]);
});

test('what a source URL has in its query is a secret, and the rest of it is not', async () => {
  const sources = [
    { type: 'url', url: 'https://example.org/list?token=canary-in-query&f=text', format: 'text' },
  ];
  const { secrets } = await load(configWith({ sources }));
  expect(secrets).toEqual(['token=canary-in-query&f=text', 'canary-in-query']);
});

test('a short word in an ordinary header is no secret: blotting it out would spoil every text', async () => {
  const headers = { 'X-Environment': 'prod', 'X-Api-Key': 'k3y!' };
  const alerts = [{ type: 'webhook', url: 'https://example.org/hook/canary', headers }];
  expect((await load(configWith({ alerts }))).secrets).toEqual(['https://example.org/hook/canary', 'k3y!']);
});

test('a missing variable is named with the place that asks for it, beside all other problems', async () => {
  const config = configWith({
    ownr: 'x',
    alerts: [{ type: 'slack', webhookUrl: '${SLACK_WEBHOOK_URL}' }],
    state: '${STATE}/x',
  });
  expect(await refusal(config, { STATE: '' })).toEqual([
    'c.json: 3 problems',
    '  alerts[0].webhookUrl: the environment variable SLACK_WEBHOOK_URL is not set',
    '  state: the environment variable STATE is empty',
    expect.stringMatching(/^ {2}ownr: unknown key/),
  ]);
});

test('a message shows no value of a channel, and none that came from the environment', async () => {
  const canary = 'c4nary-value';
  const config = configWith({
    owner: '${C}/',
    sources: [{ type: 'url', url: 'ftp://${C}', format: '${C}' }],
    targets: [
      { ...AWS_TARGET, extraCidrs: ['${C}'], groupId: '${C}', mode: '${C}', profile: 7 },
      { name: 'b', provider: '${C}' },
      { name: 'c', provider: './${C}.mjs' },
      { name: 'd', provider: 'aws-security-group', region: '${C}', allow: '${C}' },
    ],
    alerts: [
      { type: 'slack', webhookUrl: 'http://l1teral-canary.example' },
      {
        type: 'webhook',
        url: 'l1teral-canary',
        secret: 'l1teral-canary',
        headers: { Host: 'l1teral-canary' },
      },
      { type: '${C}' },
    ],
    schedule: { cron: '${C}', timezone: '${C}' },
    safety: { removalDelay: '${C}', provenance: { url: '${C}' } },
    state: ['l1teral-canary'],
  });
  const text = (await refusal(config, { C: canary })).join('\n');
  expect(text).toContain('extraCidrs[0]: «***» is no address');
  expect(text).not.toContain(canary);
  expect(text).not.toContain('l1teral-canary');
});

test('two targets with one name from the environment are told without the name', async () => {
  const config = configWith({
    targets: [
      { ...AWS_TARGET, name: '${N}' },
      { ...AWS_TARGET, name: '${N}' },
    ],
  });
  expect((await refusal(config, { N: 'canary' })).join('\n')).not.toContain('canary');
});

test('YAML takes variables as JSON does', async () => {
  const cwd = folder();
  const text = [
    'owner: ${OWNER}  # who we are',
    'targets:',
    '  - &edge { name: edge, provider: file, path: a.txt }',
    '  - { name: db, provider: aws-security-group, region: us-west-2, groupId: sg-0a1b2c3d4e5f60718, allow: [{ protocol: tcp, ports: [5432] }] }',
    'state: "$${OWNER}"',
  ];
  writeFileSync(join(cwd, 'c.yml'), text.join('\n'));
  const config = await loadConfig({ path: 'c.yml', cwd, env: { OWNER: 'acme' } });
  expect(config).toMatchObject({ owner: 'acme', stateDir: join(cwd, '${OWNER}'), secrets: [] });
  expect(config.targets.map(({ name }) => name)).toEqual(['edge', 'db']);
});

test('a secret that was put where a path belongs is not shown in the form that the path resolves to', async () => {
  const targets = [{ name: 'edge', provider: '${HOOK}', path: 'a.txt' }];
  const lines = await refusal(configWith({ targets }), { HOOK: 'https://example.org/hook/canary-5e2f9c' });
  expect(lines.join()).toContain('there is no such file');
  expect(lines.join()).not.toContain('canary-5e2f9c');
});
