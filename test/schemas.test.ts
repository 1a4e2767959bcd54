import { readFile } from 'node:fs/promises';
import { Ajv } from 'ajv';
import { parse } from 'jsonc-parser';
import { expect, test } from 'vitest';
import { buildSchemas, type JsonSchema } from '../src/schemas.ts';
import { AWS_TARGET, configWith, FILE_TARGET, GCP_TARGET, load, refusal } from './config/support.ts';

const ENV = { SLACK_WEBHOOK_URL: 'https://hooks.slack.com/services/T0/B0/x' };
const SHARED = '../shared/design.md';

async function configSchema(): Promise<JsonSchema> {
  return JSON.parse((await buildSchemas()).get('config.schema.json') ?? 'null');
}

async function validator(): Promise<(value: unknown) => boolean> {
  // Formats are the business of editors here: the loader looks at the values themselves.
  return new Ajv({ strict: true, strictTypes: false, validateFormats: false }).compile(await configSchema());
}

test('the files in schema/ are what the code says; `npm run schemas` writes them', async () => {
  for (const [name, text] of await buildSchemas())
    expect(await readFile(`schema/${name}`, 'utf8').catch(() => 'missing'), name).toBe(text);
});

test('config.example.json passes the schema and the loader', async () => {
  const text = await readFile('config.example.json', 'utf8');
  const isValid = await validator();
  expect(isValid(parse(text))).toBe(true);
  const config = await load(text, ENV);
  expect(config.targets.map(({ provider }) => provider.name)).toEqual([
    'aws-security-group',
    'gcp-firewall',
    'file',
  ]);
});

const design = await readFile(SHARED, 'utf8').catch(() => undefined);
if (design === undefined)
  console.log(`skipped: the examples of the design need ${SHARED}, which is not here`);

test.skipIf(design === undefined)('the examples of the design pass the schema and the loader', async () => {
  const [config, safety] = [...(design ?? '').matchAll(/^ *```json\n(.*?)^ *```/gms)].map(
    ([, text]) => text ?? '',
  );
  const isValid = await validator();
  const example: Record<string, unknown> = JSON.parse(config ?? '');
  expect(isValid(example)).toBe(true);
  await load(example, ENV);
  const whole = configWith({ safety: JSON.parse(safety ?? '') });
  expect(isValid(whole)).toBe(true);
  expect((await load(whole)).safety).toEqual((await load(configWith({}))).safety);
});

const GOOD: readonly Record<string, unknown>[] = [
  {},
  { $schema: 'https://example.org/config.schema.json', state: '/var/lib/x', concurrency: 1 },
  { schedule: { cron: '0 0 * * *', timezone: 'Europe/Berlin', jitter: '30s' }, repeatAlertsAfter: '6h' },
  { safety: { maxGrowth: { count: null, percent: 10.5 }, staleAfter: '1h', maxTargetsChanged: 3 } },
  { safety: { provenance: { mode: 'off' }, minPrefixLength: { ipv4: 32 }, removalDelay: '0s' } },
  { sources: [{ type: 'file', path: 'a.html', format: 'html', heading: 'Addresses' }] },
  { sources: [{ type: 'url', url: 'http://127.0.0.1:1/x', format: 'json', pointer: '/a' }] },
  { targets: [AWS_TARGET, GCP_TARGET, FILE_TARGET] },
  { targets: [{ ...AWS_TARGET, guards: { shrink: 'off' }, extraCidrs: ['10.0.0.0/8'], mode: 'observe' }] },
];

const BAD: readonly Record<string, unknown>[] = [
  { owner: 'Acme' },
  { ownr: 'acme' },
  { targets: [] },
  { sources: [] },
  { sources: [{ type: 'ftp' }] },
  { concurrency: 0 },
  { repeatAlertsAfter: '1 day' },
  { safety: { removalDelay: 24 } },
  { safety: { maxGrowth: { absolute: 1 } } },
  { targets: [{ ...AWS_TARGET, prot: 1 }] },
  { targets: [{ ...AWS_TARGET, path: 'x' }] },
  { targets: [{ ...AWS_TARGET, groupId: undefined }] },
  { targets: [{ ...AWS_TARGET, guards: { shrink: 'on' } }] },
  { targets: [{ ...AWS_TARGET, provider: 'azure' }] },
  { targets: [{ ...FILE_TARGET, mode: 'delete' }] },
];

test('what the schema accepts the loader accepts, and what it refuses the loader refuses', async () => {
  const isValid = await validator();
  for (const over of GOOD) {
    const config = configWith(over);
    expect(isValid(config), JSON.stringify(over)).toBe(true);
    await load(config);
  }
  for (const over of BAD) {
    const config: unknown = JSON.parse(JSON.stringify(configWith(over)));
    expect(isValid(config), JSON.stringify(over)).toBe(false);
    expect(await refusal(config), JSON.stringify(over)).not.toEqual([]);
  }
});

test('a target with a provider of its own is left to that provider', async () => {
  const isValid = await validator();
  const target = { name: 'a', provider: './mine.mjs', anything: { goes: true } };
  expect(isValid(configWith({ targets: [target] }))).toBe(true);
  expect(isValid(configWith({ targets: [{ ...target, provider: 'npm:@acme/firewall' }] }))).toBe(true);
  expect(isValid(configWith({ targets: [{ ...target, mode: 'delete' }] }))).toBe(false);
});

test('every key of the config is described, and every optional one of ours has its default', async () => {
  const undescribed: string[] = [];
  const visit = (node: JsonSchema, path: string): void => {
    for (const [key, property] of Object.entries(node.properties ?? {})) {
      if (typeof property !== 'object') continue;
      if (!property.description) undescribed.push(`${path}.${key}`);
      visit(property, `${path}.${key}`);
    }
    for (const inner of [node.items ?? [], node.anyOf ?? [], node.oneOf ?? []].flat())
      if (typeof inner === 'object') visit(inner, `${path}[]`);
  };
  const schema = await configSchema();
  visit(schema, 'config');
  expect(undescribed).toEqual([]);
  // One level down too: `safety`, `schedule`. Lists and targets have shapes of their own.
  const withoutDefault: string[] = [];
  const demand = (node: JsonSchema, path: string): void => {
    for (const [key, property] of Object.entries(node.properties ?? {})) {
      if (typeof property !== 'object') continue;
      if (property.default === undefined) withoutDefault.push(path + key);
      demand(property, `${path}${key}.`);
    }
  };
  demand(schema, '');
  expect(withoutDefault).toEqual(['$schema', 'owner', 'targets']);
});
