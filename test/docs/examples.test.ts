/** What the documentation tells people to type, to configure and to grant is tried here, as it stands. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { sign } from '../../src/alerts/webhook.ts';
import { loadConfig } from '../../src/config.ts';
import { validateCron } from '../../src/daemon/cron.ts';
import { startCompute } from '../../src/emulators/compute/index.ts';
import { startEc2 } from '../../src/emulators/ec2/index.ts';
import { runProgram } from '../../src/program.ts';
import { environment as awsEnvironment } from '../providers/aws/fixture.ts';
import { environment as gcpEnvironment, RULE } from '../providers/gcp/fixture.ts';
import { CLI } from '../support/cli.ts';
import { addresses, awsCloud, gcpCloud, installation } from '../support/pass.ts';
import { type Block, blocksOf, ROOT, readPages, spansOf } from './markdown.ts';

const pages = readPages();
const blocks = pages.flatMap(blocksOf);
const SECRETS = {
  SLACK_WEBHOOK_URL: 'https://hooks.slack.com/services/T0/B0/x',
  ALLOWLIST_WEBHOOK_SECRET: 'correct horse battery',
};

function blocksIn(language: string): Block[] {
  return blocks.filter((block) => block.language === language);
}

function only(found: readonly Block[]): Block {
  const [block, ...others] = found;
  if (!block || others.length > 0) throw new Error(`${found.length} blocks where there must be one`);
  return block;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'allowlist-docs-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** What CI runs as it stands (.ci/run), and what a test cannot run inside itself. */
const RUN_BY_CI = ['npm ci && npm run demo', 'npm ci && npm test', 'npm ci && npm run build'];

describe('commands', () => {
  test.each(blocksIn('sh').map((block) => ({ ...block, where: `${block.page}:${block.line}` })))(
    'the commands at $where do what they say',
    async ({ code, page }) => {
      const lines = code.split('\n').filter((line) => line !== '' && !RUN_BY_CI.includes(line));
      if (lines.length === 0) return;
      const place = await machine();
      if (page !== 'README.md') await place.sh('allowlist-sync sync');
      const said = await place.sh(lines.join('\n'));
      expect(said).not.toBe('');
    },
  );

  test('every command and flag that a text names is one', async () => {
    const named = [
      ...pages.flatMap((page) => spansOf(page).filter((span) => span.startsWith('allowlist-sync '))),
      ...pages.flatMap((page) => spansOf(page).filter((span) => /^\w+ --\w/.test(span))),
      ...blocks
        .filter(({ language }) => !['json', 'js', 'text'].includes(language))
        .flatMap(({ code }) => [...code.matchAll(/allowlist-sync [a-z-][^>\n#]*/g)].map(([text]) => text)),
    ].map((text) =>
      text
        .replace(/^allowlist-sync /, '')
        .trim()
        .split(/\s+/),
    );
    expect(named.length).toBeGreaterThan(20);
    const wrong: string[] = [];
    for (const [command = '', ...words] of named) {
      if (!/^[a-z]/.test(command) || command === 'npm') continue;
      const help = await helpOf(command);
      const flags = words.filter((word) => word.startsWith('--') && word !== '--help');
      if (flags.some((flag) => !help.includes(flag))) wrong.push([command, ...words].join(' '));
    }
    expect(wrong).toEqual([]);
  });

  test('the line for cron has a schedule that comes', () => {
    const { code } = only(blocksIn('crontab'));
    const [, cron = ''] = /^((?:\S+ ){5})\S/.exec(code) ?? [];
    expect(validateCron(cron.trim())).toBeUndefined();
  });

  test('the container starts the program that is built', () => {
    const { code } = only(blocksIn('dockerfile'));
    expect(code).toContain('ENTRYPOINT ["node", "/app/dist/src/cli.js"]');
    expect(CLI).toBe(join(ROOT, 'dist/src/cli.js'));
  });
});

describe('configs', () => {
  const documents = [
    ...blocksIn('json').map(({ page, line, code }) => ({ where: `${page}:${line}`, value: parseJson(code) })),
    ...blocksIn('yaml').map(({ page, line, code }) => ({ where: `${page}:${line}`, value: parseYaml(code) })),
    ...pages.flatMap((page) =>
      spansOf(page)
        .filter((span) => span.startsWith('{ "type": '))
        .map((span) => ({ where: `${page.name}: ${span}`, value: { alerts: [parseJson(span)] } })),
    ),
  ].filter(({ value }) => isConfig(value));

  test('there are some', () => expect(documents.length).toBeGreaterThan(7));

  test.each(documents)('the config at $where is valid', async ({ value }) => {
    const cwd = folder();
    installAdapter(cwd);
    const smallest = { owner: 'acme', targets: [{ name: 'edge', provider: 'file', path: 'allowlist.txt' }] };
    const whole = 'provider' in value ? { targets: [value] } : value;
    writeFileSync(join(cwd, 'c.json'), JSON.stringify({ ...smallest, ...whole }));
    await loadConfig({ path: 'c.json', cwd, env: SECRETS });
  });
});

describe('code', () => {
  test('the lines that check a signature take ours, and no other body, secret or time', async () => {
    const { code } = only(blocksIn('js').filter((block) => block.code.includes('isGenuine')));
    const { isGenuine } = await moduleOf(code, z.object({ isGenuine: genuineSchema }));
    const now = Date.parse('2026-03-01T12:00:00Z');
    const header = sign('correct horse battery', '{"a":1}', now);
    expect(isGenuine('correct horse battery', header, '{"a":1}', now)).toBe(true);
    expect(isGenuine('correct horse battery', header, '{"a":2}', now)).toBe(false);
    expect(isGenuine('another secret of ours', header, '{"a":1}', now)).toBe(false);
    expect(isGenuine('correct horse battery', header, '{"a":1}', now + 301_000)).toBe(false);
    expect(isGenuine('correct horse battery', undefined, '{"a":1}', now)).toBe(false);
  });

  test('the adapter of the docs converges, keeps the rows of others, and loses no race', async () => {
    const cwd = folder();
    installAdapter(cwd);
    const list = await listServer([{ cidr: '198.51.100.7/32', note: 'office' }]);
    const target = { name: 'partner', provider: './my-list.mjs', url: list.url };
    const sources = [{ type: 'file', path: 'list.txt', format: 'text' }];
    const config = { owner: 'acme', sources, targets: [target], safety: { removalDelay: '0s' } };
    writeFileSync(join(cwd, 'allowlist-sync.config.json'), JSON.stringify(config));
    const publish = (cidrs: readonly string[]) => writeFileSync(join(cwd, 'list.txt'), cidrs.join('\n'));
    const run = (...args: string[]) => promisify(execFile)(process.execPath, [CLI, ...args], { cwd });

    publish(addresses(4));
    await run('sync');
    expect(list.cidrs()).toEqual(['198.51.100.7/32', ...addresses(4)]);
    const asked = list.requests();
    await run('sync');
    expect(list.requests() - asked).toBe(1);

    publish(addresses(4, 2));
    list.raceOnce({ cidr: '198.51.100.8/32', note: 'another office' });
    await run('sync');
    expect(list.cidrs()).toEqual([
      '198.51.100.7/32',
      ...addresses(3, 2),
      '198.51.100.8/32',
      '34.19.100.5/32',
    ]);
    await run('check').catch(({ code }: { code: number }) => expect(code).toBe(2));
  });
});

describe('permissions', () => {
  test('the AWS policy allows exactly what the adapter calls', async () => {
    const policy = policySchema.parse(
      parseJson(only(blocksIn('json').filter(({ code }) => code.includes('"Statement"'))).code),
    );
    const aws = await awsCloud();
    aws.add('34.19.100.1/32');
    const place = await installation({
      targets: [aws.target({ adopt: true })],
      env: aws.env,
      published: addresses(5),
      config: { safety: { removalDelay: '0s' } },
    });
    await place.sync();
    await place.publish(addresses(4));
    await place.sync();
    const called = new Set(aws.requests().map((operation) => `ec2:${operation}`));
    // Asked only of a group without any rule, and of one that is full.
    called.add('ec2:DescribeSecurityGroups').add('servicequotas:GetServiceQuota');
    expect(policy.Statement.flatMap(({ Action }) => Action).sort()).toEqual([...called].sort());
    for (const { Resource, Action } of policy.Statement)
      expect(Resource === '*').toBe(Action.every((action) => /:(Describe|Get)/.test(action)));
  });

  const gcp = z
    .object({ includedPermissions: z.array(z.string()) })
    .parse(parseYaml(only(blocksIn('yaml').filter(({ code }) => code.includes('includedPermissions'))).code));

  test.each(gcp.includedPermissions)('the GCP role needs %s', async (permission) => {
    const errors = await lifeOfRules([permission]);
    expect(errors.length).toBeGreaterThan(0);
    for (const { code, message } of errors) {
      expect(code).toBe('permission-missing');
      expect(message).toContain(permission);
    }
  });

  test('the GCP role needs nothing else', async () => {
    const others = ['networks.get', 'networks.list', 'globalOperations.list', 'projects.get'];
    expect(await lifeOfRules(others.map((name) => `compute.${name}`))).toEqual([]);
  });
});

const genuineSchema = z.custom<
  (secret: string, header: string | undefined, body: string, now: number) => boolean
>((value) => typeof value === 'function');

const policySchema = z.object({
  Statement: z.array(z.object({ Resource: z.string(), Action: z.array(z.string()) })),
});

function parseJson(text: string): unknown {
  return JSON.parse(text);
}

function isConfig(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !('Statement' in value) &&
    !('includedPermissions' in value)
  );
}

/** A module of the docs, as somebody who copied it would load it. */
async function moduleOf<T>(code: string, shape: z.ZodType<T>): Promise<T> {
  const path = join(folder(), 'example.mjs');
  writeFileSync(path, code);
  return shape.parse({ ...(await import(/* @vite-ignore */ pathToFileURL(path).href)) });
}

/** The adapter of the docs in a folder in which this package and zod are installed. */
function installAdapter(cwd: string): void {
  const { code } = only(blocksIn('js').filter((block) => block.code.includes('defineProvider')));
  writeFileSync(join(cwd, 'my-list.mjs'), code);
  mkdirSync(join(cwd, 'node_modules'));
  symlinkSync(ROOT, join(cwd, 'node_modules/allowlist-sync'));
  symlinkSync(join(ROOT, 'node_modules/zod'), join(cwd, 'node_modules/zod'));
}

const helps = new Map<string, string>();

/** The help of a command; throws for one that does not exist. */
async function helpOf(command: string): Promise<string> {
  const known = helps.get(command);
  if (known !== undefined) return known;
  let text = '';
  const out = (part: string) => {
    text += part;
  };
  const terminal = {
    env: {},
    cwd: tmpdir(),
    stdoutIsTty: false,
    stderrIsTty: false,
    stdinIsTty: false,
    ask: async () => '',
    writeOut: out,
    writeErr: () => undefined,
    signal: new AbortController().signal,
    onReload: () => undefined,
  };
  const run = runProgram([command, '--help'], terminal, { out, err: () => undefined, version: '0' });
  await run.catch(() => undefined);
  if (!text.includes(`allowlist-sync ${command}`)) throw new Error(`there is no command ${command}`);
  helps.set(command, text);
  return text;
}

/** Where the command is on the path, put there as the README says: by `npm link`, into a prefix of our own. */
let bin = '';

beforeAll(async () => {
  const home = mkdtempSync(join(tmpdir(), 'allowlist-link-'));
  const link = pages.flatMap(blocksOf).some(({ code }) => /^npm link$/m.test(code));
  if (!link) throw new Error('the docs no longer say how the command gets on the path');
  const checkout = join(home, 'checkout');
  mkdirSync(checkout);
  copyFileSync(join(ROOT, 'package.json'), join(checkout, 'package.json'));
  for (const name of ['dist', 'node_modules']) symlinkSync(join(ROOT, name), join(checkout, name));
  const env = { ...process.env, npm_config_prefix: join(home, 'prefix'), npm_config_offline: 'true' };
  await promisify(execFile)('npm', ['link'], { cwd: checkout, env });
  bin = join(home, 'prefix/bin');
  return () => rmSync(home, { recursive: true, force: true });
}, 60_000);

/** A machine with the command on its path, both clouds, and the README's config, its sources in files. */
async function machine(): Promise<{ sh(script: string): Promise<string> }> {
  const cwd = folder();
  const ec2 = await startEc2();
  const compute = await startCompute();
  const slack = createServer((_request, response) => response.end('ok'));
  await new Promise<void>((resolve) => slack.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    slack.close();
    await Promise.all([ec2.close(), compute.close()]);
  });
  const readme = blocksIn('json').find(({ code, page }) => page === 'README.md' && code.includes('"owner"'));
  const config: unknown = parseJson(readme?.code ?? '');
  const { targets } = z
    .object({ targets: z.array(z.looseObject({ groupId: z.string().optional() })) })
    .parse(config);
  const groupId = targets.flatMap((target) => target.groupId ?? [])[0] ?? '';
  ec2.createGroup({ id: groupId, name: 'orders' });
  const sources = [{ type: 'file', path: 'list.txt', format: 'text' }];
  writeFileSync(join(cwd, 'list.txt'), addresses(3).join('\n'));
  writeFileSync(
    join(cwd, 'allowlist-sync.config.json'),
    JSON.stringify({ ...z.looseObject({}).parse(config), sources }),
  );
  const { port } = slack.address() as AddressInfo;
  const env = {
    PATH: `${bin}:${process.env.PATH}`,
    HOME: cwd,
    SLACK_WEBHOOK_URL: `http://127.0.0.1:${port}/hook`,
    ...awsEnvironment(ec2.url),
    ...gcpEnvironment(compute.url),
  };
  return {
    sh: async (script) => {
      const own = script.replace(/^npm link$/m, 'command -v allowlist-sync');
      const { stdout } = await promisify(execFile)('sh', ['-euc', own], { cwd, env });
      return stdout;
    },
  };
}

interface Row {
  readonly cidr: string;
  readonly note: string;
}

/** The service that the adapter of the docs is for. */
async function listServer(first: Row[]) {
  let rows = first;
  let version = 1;
  let requests = 0;
  let intruder: Row | undefined;
  const server = createServer(async (request, response) => {
    requests += 1;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    if (request.method === 'PUT' && intruder) {
      rows = [...rows, intruder];
      version += 1;
      intruder = undefined;
    }
    if (request.method === 'PUT' && request.headers['if-match'] !== `"${version}"`)
      return response.writeHead(412).end();
    if (request.method === 'PUT') {
      rows = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      version += 1;
      return response.end();
    }
    return response.setHeader('etag', `"${version}"`).end(JSON.stringify(rows));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/list`,
    cidrs: () => rows.map(({ cidr }) => cidr),
    requests: () => requests,
    /** Somebody adds a row just before the next write. */
    raceOnce: (row: Row) => {
      intruder = row;
    },
  };
}

/** Rules are made, repaired in every way there is, and deleted; gives what went wrong. */
async function lifeOfRules(denied: readonly string[]) {
  const gcp = await gcpCloud({ denied });
  const place = await installation({
    targets: [gcp.target()],
    env: gcp.env,
    published: [...addresses(5), '2600:1900:4000::1/128'],
    config: { safety: { removalDelay: '0s' } },
  });
  const reports = [await place.sync()];
  if (gcp.compute.rule('acme-data', RULE) !== undefined) {
    gcp.edit({ sourceTags: ['bastion'] });
    reports.push(await place.sync());
    await place.publish(addresses(5));
    reports.push(await place.sync());
  }
  return reports.flatMap(({ targets }) => targets.flatMap(({ error }) => error ?? []));
}
