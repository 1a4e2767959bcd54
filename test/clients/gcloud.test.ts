import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { type Compute, type ComputeOptions, startCompute } from '../../src/emulators/compute/index.ts';

const GCLOUD = 'gcloud';
const version = installed();
if (version === undefined)
  console.warn('Skipped: the gcloud CLI is not installed, so the Compute emulator was not held to it.');

const home = mkdtempSync(join(tmpdir(), 'gcloud-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const PROJECT = 'acme-data';
const SOURCE = '--source-ranges=203.0.113.7/32,198.51.100.0/24';

const ruleSchema = z.looseObject({ name: z.string(), sourceRanges: z.array(z.string()).optional() });

function installed(): string | undefined {
  try {
    const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
    return execFileSync(GCLOUD, ['version'], { encoding: 'utf8', stdio }).split('\n')[0];
  } catch {
    return undefined;
  }
}

/** The variables that `demo --serve` prints, and a home of its own; no account, no token, no other network. */
function environment(compute: Compute): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    HOME: home,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE: `${compute.url}/compute/v1/`,
    CLOUDSDK_AUTH_DISABLE_CREDENTIALS: 'true',
    CLOUDSDK_CORE_PROJECT: PROJECT,
    CLOUDSDK_CONFIG: join(home, 'config'),
    CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
    CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: 'true',
    CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: 'true',
  };
}

function run(
  compute: Compute,
  args: readonly string[],
): Promise<{ status: unknown; stdout: string; stderr: string }> {
  const all = ['compute', ...args, '--format=json', '--verbosity=error'];
  return new Promise((resolve) => {
    execFile(GCLOUD, all, { env: environment(compute) }, (error, stdout, stderr) =>
      resolve({ status: error ? error.code : 0, stdout, stderr }),
    );
  });
}

async function ok(compute: Compute, ...args: string[]): Promise<unknown> {
  const { status, stdout, stderr } = await run(compute, args);
  expect(status, stderr).toBe(0);
  return stdout.trim() === '' ? undefined : JSON.parse(stdout);
}

/** What gcloud says of a refusal: `ERROR: (…) Could not fetch resource:`, and the API's message behind a dash. */
async function refused(compute: Compute, ...args: string[]): Promise<string> {
  const { status, stderr } = await run(compute, args);
  expect(status).toBe(1);
  return /^ - (.*)$/m.exec(stderr)?.[1] ?? stderr;
}

async function start(options?: ComputeOptions): Promise<Compute> {
  const compute = await startCompute(options);
  onTestFinished(() => compute.close());
  return compute;
}

const rules = 'firewall-rules';
const create = [rules, 'create', 'allow', '--allow=tcp:5432'];

describe.skipIf(version === undefined)(`the gcloud CLI (${version})`, () => {
  test('makes a rule, waits for it, and describes it as the emulator holds it', async () => {
    const compute = await start();
    await ok(compute, ...create, SOURCE, '--description=by hand', '--target-tags=db', '--priority=900');
    expect(compute.requests.map(({ operation }) => operation)).toEqual([
      'firewalls.insert',
      'globalOperations.wait',
      'globalOperations.wait',
      'firewalls.get',
    ]);
    const described = await ok(compute, rules, 'describe', 'allow');
    expect(described).toEqual(compute.rule(PROJECT, 'allow'));
    expect(described).toMatchObject({
      description: 'by hand',
      sourceRanges: ['203.0.113.7/32', '198.51.100.0/24'],
      targetTags: ['db'],
      priority: 900,
      logConfig: { enable: false },
    });
  });

  test('lists nothing, then every page, then what its filters leave', async () => {
    const compute = await start({ pageSize: 2 });
    compute.addNetwork(PROJECT, 'warehouse');
    expect(await ok(compute, rules, 'list')).toEqual([]);
    for (const [name, network] of [
      ['a', 'default'],
      ['b', 'warehouse'],
      ['c', 'default'],
    ] as const)
      compute.insert(PROJECT, {
        name,
        network: `global/networks/${network}`,
        allowed: [{ IPProtocol: 'tcp', ports: ['5432'] }],
        sourceRanges: ['203.0.113.7/32'],
      });
    const names = async (...args: string[]) =>
      z
        .array(ruleSchema)
        .parse(await ok(compute, rules, 'list', ...args))
        .map(({ name }) => name);
    expect(await names()).toEqual(['a', 'b', 'c']);
    expect(await names('--filter=network=warehouse')).toEqual(['b']);
    expect(await names('--filter=network:default AND name~^c')).toEqual(['c']);
    expect(await names('--filter=sourceRanges:203.0.113.7/32')).toEqual(['a', 'b', 'c']);
  });

  test('changes a rule: other ranges, disabled, and without ranges open to the world', async () => {
    const compute = await start();
    await ok(compute, ...create, SOURCE, '--target-tags=db');
    await ok(compute, rules, 'update', 'allow', '--source-ranges=192.0.2.0/24', '--disabled');
    expect(compute.rule(PROJECT, 'allow')).toMatchObject({
      sourceRanges: ['192.0.2.0/24'],
      targetTags: ['db'],
      disabled: true,
    });
    await ok(compute, rules, 'update', 'allow', '--no-disabled', '--target-tags=', '--source-ranges=');
    const opened = compute.rule(PROJECT, 'allow');
    expect(opened).toMatchObject({ sourceRanges: ['0.0.0.0/0'], disabled: false });
    expect(opened).not.toHaveProperty('targetTags');
  });

  test('makes a rule without ranges, and it is open to the world', async () => {
    const compute = await start();
    await ok(compute, ...create);
    expect(compute.rule(PROJECT, 'allow')?.sourceRanges).toEqual(['0.0.0.0/0']);
  });

  test('deletes a rule', async () => {
    const compute = await start();
    await ok(compute, ...create, SOURCE);
    await ok(compute, rules, 'delete', 'allow');
    expect(compute.rules(PROJECT)).toEqual([]);
  });

  test('sees the networks and the project', async () => {
    const compute = await start();
    expect(await ok(compute, 'networks', 'list')).toMatchObject([{ name: 'default' }]);
    expect(await ok(compute, 'networks', 'describe', 'default')).toMatchObject({ kind: 'compute#network' });
    expect(await ok(compute, 'project-info', 'describe')).toMatchObject({ name: PROJECT });
  });

  test.each([
    [
      'host bits',
      ['--source-ranges=203.0.113.7/24'],
      "'203.0.113.7/24'. Must be a valid CIDR address range.",
    ],
    [
      'both families',
      ['--source-ranges=203.0.113.7/32,2600::/32'],
      'IPv4 and IPv6 ranges cannot be combined',
    ],
    ['a priority of 65536', ['--priority=65536'], 'Must be less than or equal to 65535'],
    ['a port of 70000', ['--allow=tcp:70000'], "'70000'. Invalid port range specification."],
    ['a protocol that is none', ['--allow=nonsense'], 'an IP protocol number between 0 and 255.'],
    ['an unknown network', ['--network=nowhere'], "networks/nowhere' was not found"],
  ])('shows the refusal of a rule with %s', async (_, flags, message) => {
    const compute = await start();
    const said = await refused(compute, ...create, ...flags);
    expect(said).toContain(message);
    expect(compute.rules(PROJECT)).toEqual([]);
  });

  test('shows the refusals of a name that is taken, of one that is not there, and of a bad one', async () => {
    const compute = await start();
    await ok(compute, ...create, SOURCE);
    const path = 'projects/acme-data/global/firewalls';
    expect(await refused(compute, ...create, SOURCE)).toBe(`The resource '${path}/allow' already exists`);
    expect(await refused(compute, rules, 'update', 'none', '--priority=1')).toBe(
      `The resource '${path}/none' was not found`,
    );
    expect(await refused(compute, rules, 'delete', 'none')).toBe(`The resource '${path}/none' was not found`);
    expect(await refused(compute, rules, 'create', 'None', '--allow=tcp:1')).toContain(
      'Must be a match of regex',
    );
  });

  test('shows a missing permission, throttling, and an operation that failed', async () => {
    const denied = ['compute.firewalls.create'];
    const compute = await start({ denied });
    expect(await refused(compute, ...create, SOURCE)).toBe(
      "Required 'compute.firewalls.create' permission for 'projects/acme-data/global/firewalls/allow'",
    );
    denied.length = 0;
    compute.failNextOperation({
      code: 'QUOTA_EXCEEDED',
      message: 'Quota FIREWALLS exceeded.',
      httpStatus: 403,
    });
    expect(await refused(compute, ...create, SOURCE)).toBe('Quota FIREWALLS exceeded.');
    const throttled = await start({ fault: () => ({ kind: 'throttle', when: 'before' }) });
    expect(await refused(throttled, rules, 'list')).toContain('Quota exceeded for quota group');
  });
});
