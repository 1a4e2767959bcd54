import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../clock.ts';
import { type Flags, openContext, secretsOf, type Terminal, worldOf } from '../commands/context.ts';
import { onePass } from '../commands/sync.ts';
import type { Compute } from '../emulators/compute/index.ts';
import type { Ec2 } from '../emulators/ec2/index.ts';
import type { Report } from '../report.ts';
import { redactor } from '../text.ts';
import { PROJECT, REGION, withClouds } from './clouds.ts';
import { type Site, startSite } from './site.ts';

/** What the demo signs its alerts with. Its receiver is the demo itself, and both end with it. */
const HOOK_SECRET = 'known-to-the-demo-alone';

export const OWNER = 'demo';
export const RULE = 'allow-community-cloud';
/** Somebody else's line, in the file from before the first run. */
export const BY_HAND = '# Written by hand: lines of others stay as they are.';

export type Run = { readonly command: 'sync'; readonly dryRun?: boolean } | { readonly command: 'check' };

/** Where the scenario plays: the clouds, the page, the receiver of alerts, and this tool with a config for them. */
export interface Stage {
  readonly ec2: Ec2;
  readonly groupId: string;
  readonly compute: Compute;
  readonly site: Site;
  readonly project: string;
  /** The `file` target as it stands. */
  readFile(): Promise<string>;
  /** One run, as the command line makes it, with the config read from its file. `observe` is called after each request to a cloud. */
  run(run: Run, observe: () => void): Promise<Report>;
  /** Moves the clock that the tool is given. */
  moveClock(ms: number): void;
  /** Blots out in what is shown what the tool would blot out. */
  redact(text: string): string;
}

/** Builds the stage, plays on it, and takes it down whatever happened. */
export async function onStage<T>(
  { flags, terminal }: { flags: Flags; terminal: Terminal },
  play: (stage: Stage) => Promise<T>,
): Promise<T> {
  let ahead = 0;
  let observe: () => void = () => undefined;
  const clock = { ...systemClock, now: () => systemClock.now() + ahead };
  const site = await startSite({ secret: HOOK_SECRET, now: clock.now });
  try {
    return await withClouds(
      { now: clock.now, observe: () => observe() },
      async ({ ec2, compute, groupId, folder, env: cloudEnv }) => {
        // Nothing of the user's own environment: no proxy, no profile, no config.
        const env = { ...cloudEnv, DEMO_HOOK_SECRET: HOOK_SECRET };
        const config = join(folder, 'allowlist-sync.config.json');
        const allowlist = join(folder, 'allowlist.txt');
        await writeFile(config, JSON.stringify(configFor(site, groupId), null, 2));
        await writeFile(allowlist, `${BY_HAND}\n`);
        const inner: Terminal = { ...terminal, env, cwd: folder, stdinIsTty: false };
        const open = async () => ({
          ...(await openContext({ ...flags, config }, inner, 'warn')),
          world: { ...worldOf(env), clock },
        });
        const redact = redactor(secretsOf((await open()).config, env));
        return await play({
          ec2,
          groupId,
          compute,
          site,
          redact,
          project: PROJECT,
          readFile: () => readFile(allowlist, 'utf8'),
          run: async (run, look) => {
            observe = look;
            return onePass(await open(), run);
          },
          moveClock: (ms) => {
            ahead += ms;
          },
        });
      },
    );
  } finally {
    await site.close();
  }
}

/** A config as a user would write it, but for three addresses on loopback. */
function configFor({ pageUrl, rangesUrl, hookUrl }: Site, groupId: string) {
  return {
    owner: OWNER,
    sources: [{ type: 'streamlit-docs', url: pageUrl }],
    targets: [
      {
        name: 'orders-db',
        provider: 'aws-security-group',
        region: REGION,
        groupId,
        allow: [{ protocol: 'tcp', ports: [5432] }],
      },
      {
        name: 'analytics',
        provider: 'gcp-firewall',
        project: PROJECT,
        network: 'default',
        rule: RULE,
        allow: [{ protocol: 'tcp', ports: [5432, '6432-6439'] }],
        targetTags: ['postgres'],
      },
      { name: 'edge', provider: 'file', path: './allowlist.txt', format: 'text' },
    ],
    safety: { provenance: { url: rangesUrl } },
    alerts: [{ type: 'webhook', url: hookUrl, secret: '${DEMO_HOOK_SECRET}' }],
    state: './state',
  };
}
