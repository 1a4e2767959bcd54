import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';

const BUILT = 'dist/src/config.js';
const isBuilt = existsSync(BUILT);
if (!isBuilt) console.log(`skipped: which modules a config loads is asked of ${BUILT}; run npm run build`);

/** Prints the URL of every module that Node loads, imported or required, while the example config is read. */
const SCRIPT = `
  import { createRequire, register } from 'node:module';
  import { MessageChannel } from 'node:worker_threads';
  const { port1, port2 } = new MessageChannel();
  const loaded = [];
  port1.on('message', (url) => loaded.push(url));
  port1.unref();
  const hooks = \`let port;
    export async function initialize(given) { port = given; }
    export async function load(url, context, next) { port.postMessage(url); return next(url, context); }\`;
  register('data:text/javascript,' + encodeURIComponent(hooks), { data: port2, transferList: [port2] });
  const { loadConfig } = await import('./${BUILT}');
  const env = { SLACK_WEBHOOK_URL: 'https://hooks.slack.com/services/T0/B0/x' };
  const config = await loadConfig({ path: 'config.example.json', cwd: process.cwd(), env });
  await new Promise((resolve) => setImmediate(resolve));
  const required = Object.keys(createRequire(process.cwd() + '/x.js').cache);
  console.log(JSON.stringify({ targets: config.targets.length, loaded: [...loaded, ...required] }));
`;

test.skipIf(!isBuilt)('reading a config with targets on AWS and GCP loads no SDK of either', () => {
  const args = ['--input-type=module', '--no-warnings', '-e', SCRIPT];
  const output = execFileSync(process.execPath, args, { encoding: 'utf8' });
  const { targets, loaded } = JSON.parse(output) as { targets: number; loaded: string[] };
  expect(targets).toBe(3);
  expect(loaded.some((url) => url.includes('/zod/'))).toBe(true);
  expect(loaded.some((url) => url.includes('/node-cron/'))).toBe(true);
  const sdks =
    /node_modules\/(@aws-sdk|@smithy|@google-cloud|google-auth-library|google-gax|gaxios|protobufjs)\//;
  expect(loaded.filter((url) => sdks.test(url))).toEqual([]);
});
