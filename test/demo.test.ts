import { readdirSync, readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import type { Flags, Terminal } from '../src/commands/context.ts';
import { demoDocumentSchema } from '../src/demo/document.ts';
import { PUBLISHED, renderPage, renderRanges } from '../src/demo/page.ts';
import { playDemo } from '../src/demo/play.ts';
import { SCENARIO, type Step } from '../src/demo/scenario.ts';
import { parseRanges } from '../src/guards/provenance.ts';
import { parseHtml } from '../src/sources/html.ts';
import { cli, start } from './support/cli.ts';
import { temporaryFolder } from './support/state.ts';

const SLOW = 120_000;
const NAMES = SCENARIO.map(({ name }) => name);

test(
  'the demo tells its steps in order, in plain text when piped, and leaves nothing behind',
  async () => {
    const TMPDIR = await temporaryFolder();
    const started = performance.now();
    const { code, stdout, stderr } = await cli(['demo'], { env: { TMPDIR } });
    console.log(`the demo took ${((performance.now() - started) / 1000).toFixed(1)} s`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const titles = [...stdout.matchAll(/^── (\d+) {2}(.*?) ─+$/gm)].map(([, , title]) => title);
    expect(titles).toEqual(SCENARIO.map(({ title }) => title));
    expect(stdout).not.toContain('\u001b');
    expect(stdout).not.toContain('✗');
    expect(readdirSync(TMPDIR)).toEqual([]);
  },
  SLOW,
);

test(
  'with --output json the demo is one document, whatever the environment holds',
  async () => {
    const env = {
      HTTP_PROXY: 'http://127.0.0.1:9',
      HTTPS_PROXY: 'http://127.0.0.1:9',
      http_proxy: 'http://127.0.0.1:9',
      AWS_PROFILE: 'no-such-profile',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      GOOGLE_APPLICATION_CREDENTIALS: '/no/such/file',
      ALLOWLIST_SYNC_CONFIG: '/no/such/config',
      FORCE_COLOR: '1',
    };
    const ran = await cli(['demo', '--output', 'json'], { env });
    const { steps, error } = demoDocumentSchema.parse(ran.json());
    expect({ code: ran.code, stderr: ran.stderr, error }).toEqual({ code: 0, stderr: '', error: null });
    expect(steps.map(({ name }) => name)).toEqual(NAMES);
    expect(steps.filter(({ ok }) => !ok)).toEqual([]);
    expect(steps.map(({ exitCode }) => exitCode)).toEqual(SCENARIO.map(({ exitCode }) => exitCode));
  },
  SLOW,
);

/** The scenario up to a step that somebody spoils. */
function spoilt(name: string, happens: NonNullable<Step['happens']>): Step[] {
  const end = SCENARIO.findIndex((step) => step.name === name);
  return SCENARIO.slice(0, end + 1).map((step) => (step.name === name ? { ...step, happens } : step));
}

/** A process that only listens, and what it heard. */
function listener(signal = new AbortController().signal): { terminal: Terminal; heard: () => string } {
  const written: string[] = [];
  const write = (text: string) => void written.push(text);
  const terminal = {
    env: {},
    cwd: '/',
    stdoutIsTty: false,
    stderrIsTty: false,
    stdinIsTty: false,
    ask: async () => '',
    writeOut: write,
    writeErr: write,
    signal,
    onReload: () => undefined,
  };
  return { terminal, heard: () => written.join('') };
}

const TEXT: Flags = { output: 'text', color: false };
const JSON_FLAGS: Flags = { output: 'json', color: false };

test(
  'a step that does not go as told ends the demo with its name and what was expected',
  async () => {
    const { terminal, heard } = listener();
    const steps = spoilt('in-sync', ({ ec2, groupId }) => {
      for (const { id, isEgress } of ec2.rules(groupId).slice(0, 2)) if (!isEgress) ec2.revoke(id);
    });
    await expect(playDemo(TEXT, terminal, steps)).rejects.toMatchObject({
      code: 'demo-failed',
      message: 'the step in-sync did not go as told; expected: one read for each target',
    });
    expect(heard()).toContain('✓ exit code 0: done\n✗ one read for each target\n');
  },
  SLOW,
);

test('with --output json a step that fails is in the document, and the exit code is 1', async () => {
  const { terminal, heard } = listener();
  const steps = spoilt('dry-run', () => {
    throw new Error('the stage is on fire');
  });
  const result = await playDemo(JSON_FLAGS, terminal, [...steps, ...SCENARIO.slice(1)]);
  expect(result).toMatchObject({
    exitCode: 1,
    json: {
      steps: [
        {
          name: 'dry-run',
          ok: false,
          exitCode: null,
          detail: 'the step dry-run failed: the stage is on fire',
        },
      ],
      exitCode: 1,
      error: { code: 'demo-failed', message: 'the step dry-run failed: the stage is on fire' },
    },
  });
  expect(demoDocumentSchema.safeParse(result.json).success).toBe(true);
  expect(heard()).toBe('');
});

test('a run that ends with another exit code than told ends the demo', async () => {
  const { terminal } = listener();
  const steps = spoilt('dry-run', ({ site }) => site.publish('<html></html>'));
  await expect(playDemo(TEXT, terminal, steps)).rejects.toMatchObject({
    message: 'the step dry-run did not go as told; expected: exit code 0: done',
  });
});

test('a demo that is stopped says so, and not that something is broken', async () => {
  const { terminal } = listener(AbortSignal.abort());
  await expect(playDemo(TEXT, terminal)).rejects.toMatchObject({
    message: 'the demo was stopped in the step dry-run',
  });
});

test(
  'Ctrl-C in the middle ends the demo in order: its clouds are closed and its folder is gone',
  async () => {
    const TMPDIR = await temporaryFolder();
    const { child, ended } = start(['demo'], { env: { TMPDIR } });
    // From the first run on the state is written, with a library that listens for signals too.
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      if (text.includes('── 2') && !child.killed) child.kill('SIGINT');
    });
    const { code, signal, stderr } = await ended;
    expect({ code, signal }).toEqual({ code: 1, signal: null });
    expect(stderr).toMatch(/^error {2}the demo was stopped in the step /m);
    expect(readdirSync(TMPDIR)).toEqual([]);
  },
  SLOW,
);

test('the page of the demo is read as the real one is, and its addresses lie in the ranges', () => {
  const parsed = parseHtml(renderPage(PUBLISHED));
  expect(parsed.ok && parsed.entries.map(({ text }) => text)).toEqual(PUBLISHED);
  expect(parseRanges(renderRanges(), ['us-west1'])).toMatchObject({ ok: true });
});

const REAL = '../shared/pages/head.html';
const real = readText(REAL);
if (real === undefined) console.log(`skipped: the real page, ${REAL}, is not here`);

test.skipIf(real === undefined)('the demo publishes the addresses of the real page', () => {
  const parsed = parseHtml(real ?? '');
  expect(parsed.ok && parsed.entries.map(({ text }) => text)).toEqual(PUBLISHED);
});

const served = z.strictObject({ env: z.record(z.string(), z.string()), config: z.string() });

/** `demo --serve` until the test ends or stops it, and what its first line says. */
async function serve() {
  const folder = await temporaryFolder();
  const running = start(['demo', '--serve', '--output', 'json'], { env: { TMPDIR: folder } });
  onTestFinished(() => void running.child.kill('SIGKILL'));
  const line = await new Promise<string>((resolve, reject) => {
    let text = '';
    running.child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
    void running.ended.then(({ stderr }) => reject(new Error(`ended before it served: ${stderr}`)));
  });
  return { ...running, folder, ...served.parse(JSON.parse(line)) };
}

test(
  'the variables that --serve prints are enough for this tool, and SIGINT ends it well',
  async () => {
    const { env, config, child, ended, folder } = await serve();
    expect(env).toMatchObject({
      AWS_ENDPOINT_URL_EC2: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE: expect.stringMatching(
        /^http:\/\/127\.0\.0\.1:\d+\/compute\/v1\/$/,
      ),
      CLOUDSDK_AUTH_DISABLE_CREDENTIALS: 'true',
      ALLOWLIST_SYNC_CONFIG: config,
    });
    const { targets } = JSON.parse(readFileSync(config, 'utf8'));
    expect(targets).toMatchObject([{ provider: 'aws-security-group' }, { provider: 'gcp-firewall' }]);
    const run = async (...args: string[]) => {
      const ran = await cli([...args, '--output', 'json'], { env });
      return { code: ran.code, stderr: ran.stderr, document: ran.json() };
    };
    expect(await run('validate')).toMatchObject({ code: 0, stderr: '', document: { valid: true } });
    expect(await run('sync')).toMatchObject({
      code: 0,
      document: {
        egress: { cidrs: { length: 18 } },
        targets: [{ status: 'changed' }, { status: 'changed' }],
      },
    });
    expect(await run('check')).toMatchObject({
      code: 0,
      stderr: '',
      document: {
        targets: [
          { status: 'in-sync', apiCalls: 1 },
          { status: 'in-sync', apiCalls: 1 },
        ],
      },
    });
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(folder)).toEqual([]);
  },
  SLOW,
);

test('--serve prints variables for a shell, and every command with its endpoint and credentials', async () => {
  const { terminal, heard } = listener(AbortSignal.abort());
  const { demo } = await import('../src/commands/demo.ts');
  expect(await demo({ ...TEXT, serve: true }, terminal)).toMatchObject({ exitCode: 0 });
  const lines = heard().split('\n');
  expect(lines.filter((line) => line.startsWith('export ')).length).toBeGreaterThanOrEqual(10);
  const aws = lines.filter((line) => / aws /.test(line) && line.startsWith('env '));
  expect(aws.length).toBeGreaterThan(0);
  for (const line of aws)
    expect(line).toMatch(
      /^env AWS_PAGER='' AWS_ACCESS_KEY_ID=\S+ AWS_SECRET_ACCESS_KEY=\S+ aws --endpoint-url http:\/\/127\.0\.0\.1:\d+ --region us-west-2 ec2 /,
    );
  const gcloud = lines.filter((line) => / gcloud /.test(line) && line.startsWith('env '));
  expect(gcloud.length).toBeGreaterThan(0);
  for (const line of gcloud)
    expect(line).toMatch(
      /^env CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE=http:\/\/127\.0\.0\.1:\d+\/compute\/v1\/ CLOUDSDK_AUTH_DISABLE_CREDENTIALS=true CLOUDSDK_CORE_PROJECT=\S+ gcloud compute /,
    );
});

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
