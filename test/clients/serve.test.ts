import { execFile, execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { formatMarker } from '../../providers/provider.ts';
import { reportSchema } from '../../src/report.ts';
import { cli, start } from '../support/cli.ts';
import { temporaryFolder } from '../support/state.ts';

/*
 * `demo --serve` as a person uses it: its variables for this tool, its printed commands for the vendors' own clients,
 * word for word. Each side must see what the other did.
 */

const has = { aws: installed('aws'), gcloud: installed('gcloud') };
for (const [name, is] of Object.entries(has))
  if (!is)
    console.warn(`Skipped: the ${name} CLI is not installed, so it did not look at what the tool made.`);

beforeAll(() => {
  // Their first start on a machine is slow.
  for (const [name, is] of Object.entries(has))
    if (is) execFileSync(name, ['--version'], { stdio: 'ignore' });
}, 120_000);

function installed(name: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The embedded clouds with 18 addresses synced to both, and a shell for the commands that were printed. */
async function served() {
  const home = await temporaryFolder();
  const { child } = start(['demo', '--serve'], { env: { TMPDIR: home } });
  const lines = await new Promise<string[]>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      if (/puts it right\.\n/.test(text)) resolve(text.split('\n'));
    });
    child.once('exit', () => reject(new Error('it ended before it served')));
  });
  const env = Object.fromEntries(
    lines.flatMap((line) => {
      const [, name, value] = /^export (\w+)=(.*)$/.exec(line) ?? [];
      return name !== undefined && value !== undefined ? [[name, value]] : [];
    }),
  );
  const check = async () => {
    const { code, json } = await cli(['check', '--output', 'json'], { env });
    return { code, targets: reportSchema.parse(json()).targets };
  };
  /** Runs the printed command with these words in it, with nothing of this machine's own settings. */
  const shell = (words: string, more = '') => {
    const command = lines.find((line) => line.startsWith('env ') && line.includes(words));
    if (command === undefined) throw new Error(`no command was printed with ${words}`);
    const own = {
      PATH: process.env.PATH,
      HOME: home,
      CLOUDSDK_CONFIG: `${home}/gcloud`,
      CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
      CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: 'true',
      CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: 'true',
    };
    return new Promise<string>((resolve, reject) => {
      execFile('sh', ['-c', `${command} ${more}`], { env: own }, (error, stdout) =>
        error ? reject(error) : resolve(stdout),
      );
    });
  };
  const synced = await cli(['sync', '--output', 'json'], { env });
  expect(synced.code, synced.stderr).toBe(0);
  return { check, shell };
}

const rulesSchema = z.object({
  SecurityGroupRules: z.array(
    z.object({
      IsEgress: z.boolean(),
      CidrIpv4: z.string().optional(),
      Description: z.string().optional(),
      FromPort: z.number(),
    }),
  ),
});

describe.skipIf(!has.aws)('the aws CLI and the tool', () => {
  test('the printed commands show 18 rules with our marker, and what they change is named by check', async () => {
    const { shell, check } = await served();
    const { SecurityGroupRules } = rulesSchema.parse(
      JSON.parse(await shell('describe-security-group-rules', '--output json')),
    );
    const inbound = SecurityGroupRules.filter(({ IsEgress }) => !IsEgress);
    expect(inbound).toHaveLength(18);
    expect(new Set(inbound.map(({ FromPort }) => FromPort))).toEqual(new Set([5432]));
    expect(new Set(inbound.map(({ Description }) => Description))).toEqual(
      new Set([formatMarker({ owner: 'demo', target: 'orders-db' })]),
    );
    expect(await check()).toMatchObject({ code: 0 });
    await shell('authorize-security-group-ingress');
    await shell('revoke-security-group-ingress');
    expect(await check()).toMatchObject({
      code: 2,
      targets: [
        {
          name: 'orders-db',
          drift: [
            { cause: 'removed-by-hand', cidr: '35.230.127.150/32' },
            { cause: 'foreign', cidr: '203.0.113.77/32' },
          ],
        },
        { name: 'analytics', drift: [] },
      ],
    });
  });
});

const ruleSchema = z.object({
  name: z.string(),
  description: z.string(),
  sourceRanges: z.array(z.string()),
  targetTags: z.array(z.string()),
});

describe.skipIf(!has.gcloud)('the gcloud CLI and the tool', () => {
  test('the printed commands show 18 ranges with our marker, and what they change is named by check', async () => {
    const { shell, check } = await served();
    const listed = z.array(ruleSchema).parse(JSON.parse(await shell('firewall-rules list', '--format=json')));
    expect(listed.map(({ name }) => name)).toEqual(['allow-community-cloud']);
    const rule = ruleSchema.parse(JSON.parse(await shell('firewall-rules describe', '--format=json')));
    expect(rule.sourceRanges).toHaveLength(18);
    expect(rule).toMatchObject({
      description: formatMarker({ owner: 'demo', target: 'analytics' }),
      targetTags: ['postgres'],
    });
    expect(await check()).toMatchObject({ code: 0 });
    const ranges = [...rule.sourceRanges.slice(1), '203.0.113.77/32'].join(',');
    await shell('firewall-rules update', `--source-ranges=${ranges}`);
    const { code, targets } = await check();
    const drift = targets.find(({ name }) => name === 'analytics')?.drift ?? [];
    expect(code).toBe(2);
    expect(drift.map(({ cause, cidr }) => [cause, cidr])).toEqual([
      ['removed-by-hand', rule.sourceRanges[0]],
      ['edited-by-hand', null],
      ['added-by-hand', '203.0.113.77/32'],
    ]);
    expect(drift[1]?.detail).toContain('priority');
  });
});
