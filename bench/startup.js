// What a start of the program costs, as ratios to a bare `node -e 0` measured beside it: `npm run bench`.
// Plain JavaScript, since it runs on every Node that the program runs on. Ends with 1 when --version costs more than
// MOST_VERSION times the bare start.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startCompute } from '../dist/src/emulators/compute/index.js';
import { startEc2 } from '../dist/src/emulators/ec2/index.js';

const MOST_VERSION = 1.5;
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 15);
const CLI = fileURLToPath(new URL('../dist/src/cli.js', import.meta.url));

const dir = mkdtempSync(join(tmpdir(), 'allowlist-bench-'));
const ec2 = await startEc2();
const compute = await startCompute({ project: 'acme-data' });
try {
  process.exitCode = await measure();
} finally {
  await Promise.all([ec2.close(), compute.close()]);
  rmSync(dir, { recursive: true, force: true });
}

/** Prints the table. Gives the exit code. */
async function measure() {
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: dir,
    AWS_ENDPOINT_URL_EC2: ec2.url,
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'not-a-secret',
    CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE: `${compute.url}/compute/v1/`,
  };
  const allow = [{ protocol: 'tcp', ports: [5432] }];
  const groupId = ec2.createGroup({ name: 'orders' });
  const aws = { name: 'orders', provider: 'aws-security-group', region: 'us-west-2', groupId, allow };
  const gcp = {
    name: 'analytics',
    provider: 'gcp-firewall',
    project: 'acme-data',
    rule: 'allow-apps',
    allow,
  };
  const configs = {
    aws: configFor('aws', [aws]),
    gcp: configFor('gcp', [gcp]),
    both: configFor('both', [aws, gcp]),
  };
  writeFileSync(join(dir, 'list.txt'), '34.19.100.134\n34.82.135.155\n');
  for (const name of ['aws', 'gcp']) await run([CLI, 'sync', '--config', configs[name]], env);

  /** @type {readonly (readonly [string, readonly string[]])[]} */
  const cases = [
    ['--version', ['--version']],
    ['--help', ['--help']],
    ['validate (both clouds)', ['validate', '--config', configs.both]],
    ['history (3 records)', ['history', '--config', configs.aws]],
    ['check, one AWS target', ['check', '--config', configs.aws]],
    ['check, one GCP target', ['check', '--config', configs.gcp]],
  ];
  /** @type {{ ms: number, ratio: number }[][]} */
  const measured = cases.map(() => []);
  const bare = [];
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [index, [, args]] of cases.entries()) {
      // In pairs, and in turns, so that whatever else the machine does hits both.
      const before = await run(['-e', '0'], env);
      const ms = await run([CLI, ...args], env);
      const after = await run(['-e', '0'], env);
      bare.push(before, after);
      measured[index]?.push({ ms, ratio: (2 * ms) / (before + after) });
    }

  console.log(
    `start-up, medians of ${ROUNDS} rounds, Node ${process.version}, ${availableParallelism()} cores\n`,
  );
  console.log(row('node -e 0', median(bare), 1));
  const ratios = cases.map(([name], index) => {
    const rounds = measured[index] ?? [];
    const ratio = median(rounds.map((round) => round.ratio));
    console.log(row(name, median(rounds.map(({ ms }) => ms)), ratio));
    return ratio;
  });
  const [version = Number.POSITIVE_INFINITY] = ratios;
  const isQuick = version <= MOST_VERSION;
  console.log(
    `\n--version may cost ${MOST_VERSION} times a bare start: ${isQuick ? 'it does not cost more' : 'IT COSTS MORE'}`,
  );
  return isQuick ? 0 : 1;
}

/**
 * Writes a config and gives its path.
 * @param {string} name
 * @param {readonly object[]} targets
 */
function configFor(name, targets) {
  const path = join(dir, `${name}.json`);
  const sources = [{ type: 'file', path: 'list.txt', format: 'text' }];
  writeFileSync(path, JSON.stringify({ owner: 'bench', sources, targets, state: `./state-${name}` }));
  return path;
}

/**
 * Milliseconds from the start of a process to its end. Throws when it does not end with 0.
 * @param {readonly string[]} args
 * @param {Record<string, string>} env
 * @returns {Promise<number>}
 */
function run(args, env) {
  return new Promise((resolve, reject) => {
    const started = process.hrtime.bigint();
    const child = spawn(process.execPath, args, { env, cwd: dir, stdio: 'ignore' });
    child.once('error', reject);
    child.once('exit', (code) => {
      const ms = Number(process.hrtime.bigint() - started) / 1e6;
      if (code === 0) resolve(ms);
      else reject(new Error(`${args.join(' ')} ended with ${code}`));
    });
  });
}

/** @param {readonly number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/**
 * @param {string} name
 * @param {number} ms
 * @param {number} ratio
 */
function row(name, ms, ratio) {
  return `${name.padEnd(26)}${ms.toFixed(0).padStart(6)} ms ${ratio.toFixed(2).padStart(7)} x`;
}
