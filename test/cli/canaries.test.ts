import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FILE_TARGET, type Ran, until, type Workplace, workplace } from '../support/cli.ts';
import { addresses, awsCloud, gcpCloud } from '../support/pass.ts';

/*
 * A secret stands in every place that may hold one. Whatever command is given, and however it fails: none of them
 * comes out anywhere.
 */

const LIST = addresses(3);
/** A value that occurs nowhere else. */
const canary = (what: string) => `c4nary-${what}-x7q`;

/** A receiver of alerts and a publisher of lists. It keeps whatever it is sent but for what is meant for it. */
async function site() {
  const bodies: string[] = [];
  let status = 200;
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    if (request.method === 'POST') bodies.push(Buffer.concat(chunks).toString('utf8'));
    // A careless server repeats in its answer what it was asked.
    const echo = `${request.url} ${JSON.stringify(request.headers)}`;
    const body = status === 200 ? LIST.join('\n') : echo;
    const headers = { 'content-type': 'text/plain', etag: '"1"', location: `/moved${request.url}` };
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    bodies,
    answer: (wanted: number) => {
      status = wanted;
    },
  };
}

/** Every file below a folder: its name, and what is in it. */
function everything(folder: string, skip: (path: string) => boolean): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !skip(name))
    .map((name) => {
      const path = join(folder, name);
      return `${name}\n${statSync(path).isFile() ? readFileSync(path, 'utf8') : ''}`;
    })
    .join('\n');
}

test('no secret comes out: not on stdout or stderr, not in the state, not in an alert', async () => {
  const [aws, gcp, web] = [await awsCloud(), await gcpCloud(), await site()];
  const secrets = {
    SLACK_PATH: canary('slack'),
    HOOK_PATH: canary('hook'),
    HOOK_SECRET: canary('signing-key'),
    HOOK_HEADER: canary('header'),
    LIST_PATH: canary('list-path'),
    AWS_SECRET_ACCESS_KEY: canary('aws-secret'),
    AWS_SESSION_TOKEN: canary('aws-session'),
    GOOGLE_OAUTH_ACCESS_TOKEN: canary('google'),
    EXTERNAL_ID: canary('external'),
  };
  const literal = { query: canary('query'), header: canary('literal-header'), hook: canary('literal-hook') };
  const proxyPassword = canary('proxy');
  const canaries = [...Object.values(secrets), ...Object.values(literal), proxyPassword];
  const env = {
    ...aws.env,
    ...gcp.env,
    ...secrets,
    SITE: web.url,
    REGION: 'us-west-2',
    HTTPS_PROXY: `http://me:${proxyPassword}@127.0.0.1:9`,
  };
  const config = {
    targets: [aws.target({ region: '${REGION}' }), gcp.target(), FILE_TARGET],
    sources: [
      { type: 'url', url: '${SITE}/${LIST_PATH}', format: 'text' },
      { type: 'url', url: `${web.url}/list?token=${literal.query}`, format: 'text' },
    ],
    alerts: [
      { type: 'slack', webhookUrl: '${SITE}/${SLACK_PATH}' },
      {
        type: 'webhook',
        name: 'on-call',
        url: '${SITE}/${HOOK_PATH}',
        secret: '${HOOK_SECRET}',
        headers: { Authorization: 'Bearer ${HOOK_HEADER}', 'X-Tenant': literal.header },
      },
      { type: 'webhook', url: `${web.url}/${literal.hook}` },
    ],
    repeatAlertsAfter: '1m',
    safety: {
      removalDelay: '0s',
      deadline: '5s',
      provenance: { url: `${web.url}/ranges?key=${literal.query}`, sources: ['url'] },
    },
  };
  const place = workplace(config, env);
  const outputs: string[] = [];
  const keep = ({ stdout, stderr }: Ran) => outputs.push(stdout, stderr);
  const run = async (...args: string[]) => keep(await place.run(...args));

  const commands = [
    ['validate'],
    ['sources'],
    ['check'],
    ['sync', '--dry-run'],
    ['sync'],
    ['history', '--limit', '100'],
    ['held'],
    ['remove', '--target', 'orders', '--yes'],
  ];
  for (const args of commands) await run(...args, '--output', 'json', '--log-level', 'debug');
  expect(web.bodies.length).toBeGreaterThan(0);
  for (const output of ['text', 'markdown']) await run('sync', '--output', output, '--log-level', 'debug');
  await withFailures(place, { config, env, run, answer: web.answer });

  const running = place.start('daemon', '--log-level', 'debug');
  await until(() => running.said().includes('"run finished"'), running.said);
  running.child.kill('SIGTERM');
  keep(await running.ended);

  // The cache holds the URL that it stands for, and is for its owner's eyes only.
  const isKept = (name: string) => name.endsWith('.cache') || name.endsWith('.config.json');
  const cached = readdirSync(place.path('state/cache'));
  for (const name of cached) expect(statSync(place.path(`state/cache/${name}`)).mode & 0o077).toBe(0);
  const disk = everything(place.dir, isKept);
  const out = { outputs: outputs.join('\n'), disk, names: cached.join('\n'), alerts: web.bodies.join('\n') };
  for (const [where, text] of Object.entries(out)) {
    expect(text.length, where).toBeGreaterThan(100);
    for (const secret of canaries) expect(around(text, secret), `${secret} in ${where}`).toBe('');
  }
  // What is no secret is still there to be read.
  expect(out.outputs).toContain('us-west-2');
  expect(out.outputs).toContain('on-call');
}, 120_000);

/** Runs while everything that can fail does. */
async function withFailures(
  place: Workplace,
  given: {
    config: Record<string, unknown>;
    env: Record<string, string>;
    run: (...args: string[]) => Promise<unknown>;
    answer: (status: number) => void;
  },
): Promise<void> {
  const { config, run, answer } = given;
  const loud = ['--log-level', 'debug'];
  for (const status of [302, 403, 503]) {
    answer(status);
    await run('sync', '--output', 'json', ...loud);
  }
  await run('sources', ...loud);
  await run('check', ...loud);
  answer(200);
  // Secrets where they do not belong, each of them a mistake in the config.
  for (const wrong of [
    { owner: '${HOOK_SECRET}!' },
    { schedule: { cron: '${AWS_SECRET_ACCESS_KEY}' } },
    { sources: [{ type: 'url', url: 'ftp://${LIST_PATH}', format: 'text' }] },
    { alerts: [{ type: 'slack', webhookUrl: 'http://example.org/${SLACK_PATH}' }] },
    { alerts: [{ type: 'webhook', url: 'https://u:${HOOK_PATH}@example.org/', secret: 'short' }] },
    { targets: [{ ...FILE_TARGET, provider: '${EXTERNAL_ID}' }] },
    { targets: [{ ...FILE_TARGET, mode: '${GOOGLE_OAUTH_ACCESS_TOKEN}' }] },
    { state: './list.txt/${HOOK_SECRET}' },
  ]) {
    place.configure({ ...config, ...wrong });
    place.write('list.txt', '');
    await Promise.all([run('validate', ...loud), run('sync', '--output', 'json', ...loud)]);
  }
  place.configure(config);
  // Wrong usage that repeats what it was given would be the caller's own doing: nothing secret is given here.
  await run('sync', '--target', 'nobody', ...loud);
}

/** What stands around a secret in a text; nothing when it is not there. */
function around(text: string, secret: string): string {
  const at = text.indexOf(secret);
  return at === -1 ? '' : text.slice(Math.max(0, at - 120), at + 80);
}
