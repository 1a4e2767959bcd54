import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { configWith, folder, load, refusal } from './support.ts';

const named = (owner: string) => JSON.stringify(configWith({ owner }));
const yaml = (owner: string) => `owner: ${owner}\ntargets:\n  - { name: a, provider: file, path: a.txt }\n`;

const failure = (place: Parameters<typeof loadConfig>[0]) =>
  loadConfig(place).then(
    () => 'accepted',
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  );

test('--config comes before ALLOWLIST_SYNC_CONFIG, and that before the names in the working directory', async () => {
  const cwd = folder();
  writeFileSync(join(cwd, 'flag.json'), named('by-flag'));
  writeFileSync(join(cwd, 'env.json'), named('by-env'));
  writeFileSync(join(cwd, 'allowlist-sync.config.yml'), yaml('by-yml'));
  const owner = async (path: string | undefined, env: Record<string, string>) =>
    (await loadConfig({ path, env, cwd })).owner;
  const env = { ALLOWLIST_SYNC_CONFIG: 'env.json' };
  expect(await owner('flag.json', env)).toBe('by-flag');
  expect(await owner(undefined, env)).toBe('by-env');
  expect(await owner(undefined, { ALLOWLIST_SYNC_CONFIG: '' })).toBe('by-yml');
  writeFileSync(join(cwd, 'allowlist-sync.config.yaml'), yaml('by-yaml'));
  expect(await owner(undefined, {})).toBe('by-yaml');
  writeFileSync(join(cwd, 'allowlist-sync.config.json'), named('by-json'));
  expect(await owner(undefined, {})).toBe('by-json');
});

test('without a config the message names the places that were looked at', async () => {
  const cwd = folder();
  expect(await failure({ cwd, env: {} })).toBe(
    `config-missing: no config file: looked for allowlist-sync.config.json, allowlist-sync.config.yaml, allowlist-sync.config.yml in ${cwd}`,
  );
  writeFileSync(join(cwd, 'allowlist-sync.config.json'), named('acme'));
  expect(await failure({ cwd, env: {}, path: 'gone.json' })).toBe(
    'config-missing: no config file: gone.json (--config) does not exist',
  );
  expect(await failure({ cwd, env: { ALLOWLIST_SYNC_CONFIG: '/gone/c.json' } })).toBe(
    'config-missing: no config file: /gone/c.json (ALLOWLIST_SYNC_CONFIG) does not exist',
  );
});

test('a config that is there and cannot be read is not passed over', async () => {
  const cwd = folder();
  mkdirSync(join(cwd, 'allowlist-sync.config.json'));
  writeFileSync(join(cwd, 'allowlist-sync.config.yaml'), yaml('acme'));
  expect(await failure({ cwd, env: {} })).toBe(
    'config-missing: allowlist-sync.config.json cannot be read: it is a folder',
  );
  expect(await failure({ cwd, env: {}, path: '.' })).toBe(
    `config-missing: ${cwd} (--config) cannot be read: it is a folder`,
  );
});

test('relative paths in the config start from its folder, wherever one stands', async () => {
  const cwd = folder();
  mkdirSync(join(cwd, 'etc'));
  writeFileSync(join(cwd, 'etc', 'c.json'), JSON.stringify(configWith({ state: 'var/state' })));
  const config = await loadConfig({ path: 'etc/c.json', cwd, env: {} });
  expect(config.path).toBe(join(cwd, 'etc', 'c.json'));
  expect(config.baseDir).toBe(join(cwd, 'etc'));
  expect(config.stateDir).toBe(join(cwd, 'etc', 'var', 'state'));
  expect(config.targets[0]?.description.object).toBe(`file ${join(cwd, 'etc', 'allowlist.txt')}`);
});

test('JSON may have comments, a comma too many and a byte order mark', async () => {
  const text = `\uFEFF// who we are\n{ "owner": "acme", /* one */ "targets": [${JSON.stringify({ name: 'a', provider: 'file', path: 'x' })},],\n}`;
  expect((await load(text)).owner).toBe('acme');
});

test('broken JSON is refused with line and column, and nothing of the text is shown', async () => {
  const refusals: [text: string, message: string][] = [
    ['', 'c.json:1:1: value expected'],
    ['{\n  "owner": "acme"\n  "targets": []\n}', 'c.json:3:3: comma expected'],
    ['{ "owner": "acme",\n  targets: [] }', 'c.json:2:3: invalid symbol'],
    ['{ "owner": "acme"', 'c.json:1:18: close brace expected'],
    ['{ "owner": "acme" } x', 'c.json:1:21: invalid symbol'],
    ['{ "owner": "acme",\n  "owner": "other" }', 'c.json:2:3: this key is there twice'],
    ['{ "a": [{ "b": 1, "b": 2 }] }', 'c.json:1:19: this key is there twice'],
    ['{ "owner": "s3cret-t0ken }', 'c.json:1:12: unexpected end of string'],
  ];
  for (const [text, message] of refusals) expect(await refusal(text), text).toEqual([message]);
});

test('broken YAML is refused with line and column, and nothing of the text is shown', async () => {
  const cwd = folder();
  const refusals: [text: string, message: string][] = [
    ['', 'c.yaml:1:1: the file is empty'],
    ['owner: acme\n\ttargets: []\n', 'c.yaml:2:1: tab as indent'],
    ['owner: acme\nowner: other\n', 'c.yaml:2:1: this key is there twice'],
    ['owner: s3cret: t0ken\n', 'c.yaml:1:8: block as implicit key'],
    ['owner: *s3cret\n', 'c.yaml:1:1: an alias (`*name`) has no anchor, or there are too many'],
    ['owner: acme\n---\nowner: other\n', 'c.yaml:2:1: multiple docs'],
    ['owner: !s3cret acme\n', 'c.yaml:1:8: tag resolve failed'],
  ];
  for (const [text, message] of refusals) {
    writeFileSync(join(cwd, 'c.yaml'), text);
    expect(await failure({ path: 'c.yaml', cwd, env: {} }), text).toBe(`config-invalid: ${message}`);
  }
});
