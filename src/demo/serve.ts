import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../clock.ts';
import type { Flags, Result, Terminal } from '../commands/context.ts';
import { type Style, styleFor } from '../render/style.ts';
import { type Clouds, CREDENTIALS, PROJECT, REGION, withClouds } from './clouds.ts';
import { PUBLISHED } from './page.ts';

/**
 * Keeps the embedded clouds running until the process is told to stop, and prints what points this tool, the aws CLI
 * and the gcloud CLI at them. With `--output json` the first line of stdout says so, as soon as they listen.
 */
export function serveDemo(flags: Flags, terminal: Terminal): Promise<Result> {
  return withClouds(systemClock, async (clouds) => {
    const list = join(clouds.folder, 'published.txt');
    const config = join(clouds.folder, 'allowlist-sync.config.json');
    await writeFile(list, ['# What is published. Change it, and run sync.', ...PUBLISHED, ''].join('\n'));
    await writeFile(config, `${JSON.stringify(configFor(clouds), null, 2)}\n`);
    const env = { ...clouds.env, ALLOWLIST_SYNC_CONFIG: config };
    const style = styleFor(flags.color);
    const lines =
      flags.output === 'json' ? [JSON.stringify({ env, config })] : describe(clouds, { env, list, style });
    terminal.writeOut(`${lines.join('\n')}\n`);
    await ended(terminal.signal);
    return { exitCode: 0, json: undefined, lines: ['', 'The clouds and their folder are gone.'] };
  });
}

function configFor({ groupId }: Clouds) {
  const allow = [{ protocol: 'tcp', ports: [5432] }];
  return {
    owner: 'demo',
    sources: [{ type: 'file', path: './published.txt', format: 'text' }],
    targets: [
      { name: 'orders-db', provider: 'aws-security-group', region: REGION, groupId, allow },
      {
        name: 'analytics',
        provider: 'gcp-firewall',
        project: PROJECT,
        network: 'default',
        rule: 'allow-community-cloud',
        allow,
        targetTags: ['postgres'],
      },
    ],
    state: './state',
  };
}

interface Served {
  readonly env: Readonly<Record<string, string>>;
  readonly list: string;
  readonly style: Style;
}

/** What to paste into another terminal. Everything that is no command or variable is a comment of the shell. */
function describe(clouds: Clouds, { env, list, style }: Served): string[] {
  const note = (text: string) => style.dim(`# ${text}`);
  return [
    note('An EC2 and a Compute Engine on 127.0.0.1, until Ctrl-C. In another terminal:'),
    '',
    ...Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)}`),
    '',
    note('This tool; the variables are enough for it. Where it is not installed:'),
    `alias allowlist-sync=${quoted(`node ${quoted(fileURLToPath(new URL('../cli.js', import.meta.url)))}`)}`,
    'allowlist-sync validate',
    'allowlist-sync sync --dry-run',
    'allowlist-sync sync',
    'allowlist-sync check',
    note(`What is published stands in ${list}: change it and sync again.`),
    '',
    note('The aws CLI. Endpoint and credentials are written out, since some versions ignore the variables.'),
    ...awsCommands(clouds),
    '',
    note('The gcloud CLI, with its variables written out as well.'),
    ...gcloudCommands(clouds),
    '',
    note(
      'What was changed by these is drift: `allowlist-sync check` names it, `allowlist-sync sync` puts it right.',
    ),
  ];
}

function awsCommands({ ec2, groupId }: Clouds): string[] {
  const env = { AWS_PAGER: '', ...CREDENTIALS };
  const aws = `env ${assignments(env)} aws --endpoint-url ${ec2.url} --region ${REGION} ec2`;
  const group = `--group-id ${groupId}`;
  return [
    `${aws} describe-security-group-rules --filters Name=group-id,Values=${groupId}`,
    `${aws} authorize-security-group-ingress ${group} --protocol tcp --port 5432 --cidr 203.0.113.77/32`,
    `${aws} revoke-security-group-ingress ${group} --protocol tcp --port 5432 --cidr ${PUBLISHED[0]}/32`,
  ];
}

function gcloudCommands({ env }: Clouds): string[] {
  const own = Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('CLOUDSDK_')));
  const gcloud = `env ${assignments(own)} gcloud compute firewall-rules`;
  return [
    `${gcloud} list`,
    `${gcloud} describe allow-community-cloud`,
    `${gcloud} update allow-community-cloud --priority=900`,
  ];
}

function assignments(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([name, value]) => `${name}=${quoted(value)}`)
    .join(' ');
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
