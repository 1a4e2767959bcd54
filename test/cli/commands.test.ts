import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { formatMarker } from '../../providers/provider.ts';
import { cli, FILE_TARGET, workplace } from '../support/cli.ts';
import { addresses, awsCloud, gcpCloud } from '../support/pass.ts';
import { documentOf, expectNoStack, reportOf } from './documents.ts';

const LIST = addresses(3);
const published = (cidrs: readonly string[]) => cidrs.map((cidr) => `${cidr}\n`).join('');
const ESCAPE = '\u001b';

test('sync --dry-run shows what is to be done and leaves no trace; sync does it; check agrees', async () => {
  const [aws, gcp] = [await awsCloud(), await gcpCloud()];
  const targets = [aws.target(), gcp.target(), FILE_TARGET];
  const place = workplace({ targets }, { ...aws.env, ...gcp.env });
  place.write('list.txt', published(LIST));

  const before = readdirSync(place.dir).sort();
  const dry = await place.json('sync', '--dry-run');
  expect(dry).toMatchObject({ code: 0, stderr: '' });
  const planned = reportOf(dry);
  expect(planned).toMatchObject({ command: 'sync', dryRun: true, error: null });
  expect(planned.targets.map(({ name, status }) => `${name} ${status}`)).toEqual([
    'orders would-change',
    'analytics would-change',
    'edge would-change',
  ]);
  expect(readdirSync(place.dir).sort()).toEqual(before);
  expect([...aws.ec2.requests, ...gcp.compute.requests].some(({ writes }) => writes)).toBe(false);

  const detailed = await place.json('sync', '--dry-run', '--detailed-exitcode');
  expect(reportOf(detailed).exitCode).toBe(2);

  const synced = reportOf(await place.json('sync'));
  expect(synced.targets.map(({ status, planId }) => [status, planId])).toEqual(
    planned.targets.map(({ planId }) => ['changed', planId]),
  );
  expect(aws.allowed()).toEqual(LIST);
  expect(gcp.allowed()).toEqual(LIST);
  expect(place.read('allowed.txt')).toContain(LIST[0]);

  const checked = reportOf(await place.json('check'));
  expect(checked).toMatchObject({ command: 'check', dryRun: true, exitCode: 0 });
  expect(checked.targets.map(({ status, apiCalls }) => [status, apiCalls])).toEqual([
    ['in-sync', 1],
    ['in-sync', 1],
    ['in-sync', 1],
  ]);
});

test('text is for people and markdown for a pull request, both without colours where there is no terminal', async () => {
  const place = workplace({ targets: [FILE_TARGET] });
  place.write('list.txt', published(LIST));
  const text = await place.run('sync', '--dry-run');
  expect(text).toMatchObject({ code: 0, stderr: '' });
  expect(text.stdout).toMatch(/^egress {2}3 addresses, list-/);
  expect(text.stdout).toContain(`+ ${LIST[0]}`);
  expect(text.stdout).toContain('dry run, nothing was written: 1 would change');
  const markdown = await place.run('sync', '--output', 'markdown');
  expect(markdown.stdout).toMatch(/^## allowlist-sync sync\n/);
  expect(markdown.stdout).toContain('| edge | file |');
  expect(text.stdout + markdown.stdout).not.toContain(ESCAPE);
});

test('colours can be had where there is no terminal, and had not', async () => {
  const forced = workplace({ targets: [FILE_TARGET] }, { FORCE_COLOR: '1' });
  forced.write('list.txt', published(LIST));
  expect((await forced.run('sources')).stdout).toContain(ESCAPE);
  expect((await forced.run('sources', '--no-color')).stdout).not.toContain(ESCAPE);
});

test('sources shows what is published, with the evidence, and remembers nothing', async () => {
  const place = workplace({ targets: [FILE_TARGET] });
  place.write('list.txt', published(LIST));
  const ran = await place.json('sources');
  expect(ran.code).toBe(0);
  expect(documentOf(ran, 'sources')).toMatchObject({
    cidrs: LIST,
    refused: [],
    sources: [{ type: 'file', status: 'ok', count: 3, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }],
  });
  expect((await place.run('sources')).stdout).toContain(`\n  ${LIST[2]}\n`);
  expect((await place.run('sources', '--output', 'markdown')).stdout).toContain('| file | ok | 3 |');
  expect(existsSync(place.path('state'))).toBe(false);
});

test('history tells the newest first, at most as many as asked for', async () => {
  const place = workplace({ targets: [FILE_TARGET] });
  expect((await place.run('history')).stdout).toBe('nothing has happened yet\n');
  place.write('list.txt', published(LIST));
  await place.run('sync');
  const all = await place.json('history');
  expect(all.code).toBe(0);
  expect(documentOf(all, 'history')).toMatchObject({
    records: [{ type: 'run' }, { type: 'target-changed' }, { type: 'list-accepted', cidrs: LIST }],
    skipped: 0,
  });
  const one = documentOf(await place.json('history', '--limit', '1'), 'history');
  expect(one).toMatchObject({ records: [{ type: 'run', exitCode: 0 }] });
  const { stdout } = await place.run('history');
  expect(stdout.split('\n')[0]).toMatch(/^\d{4}-.*Z {2}run +exit code 0, .*edge changed \(3\)$/);
});

test('validate tells what the config means, without any network', async () => {
  const place = workplace({
    targets: [
      FILE_TARGET,
      {
        name: 'orders',
        provider: 'aws-security-group',
        region: 'us-west-2',
        groupId: 'sg-0a1b2c3d4e5f60718',
        allow: [{ protocol: 'tcp', ports: [5432, '6432-6439'] }],
      },
    ],
  });
  const ran = await place.json('validate');
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  expect(documentOf(ran, 'validate')).toMatchObject({
    valid: true,
    owner: 'acme',
    targets: [{ name: 'edge' }, { name: 'orders', services: ['tcp 5432', 'tcp 6432-6439'] }],
  });
  expect((await place.run('validate')).stdout).toMatch(
    /^valid {2}\/.*\n {2}owner acme, 1 source, 2 targets, 0 alert channels\n/,
  );
});

test('a held list is told by sync, check and held with its id, and that id releases it once', async () => {
  const place = workplace({ targets: [FILE_TARGET], safety: { removalDelay: '0s' } });
  place.write('list.txt', published(LIST));
  expect((await place.run('sync')).code).toBe(0);
  expect(documentOf(await place.json('held'), 'held')).toMatchObject({ held: [] });
  const grown = addresses(6);
  place.write('list.txt', published(grown));

  const report = reportOf(await place.json('sync'));
  expect(report).toMatchObject({ exitCode: 3, egress: { cidrs: LIST, candidate: grown } });
  expect((await place.run('check')).code).toBe(3);
  const listId = report.egress.listId ?? '';
  const held = await place.json('held');
  expect(held.code).toBe(0);
  expect(documentOf(held, 'held')).toMatchObject({
    held: [
      { id: listId, kind: 'list', guard: 'growth', command: expect.stringContaining(`--approve ${listId}`) },
    ],
  });
  const shown = (await place.run('held')).stdout;
  expect(shown).toContain('3 new beside 3; the limit is 10 or 50 %');
  expect(shown).toContain(
    `allowlist-sync sync --approve ${listId} --config ${place.path('allowlist-sync.config.json')}`,
  );

  const wrong = await place.run('sync', '--approve', 'list-000000000000');
  expect(wrong.code).toBe(3);
  expect(wrong.stdout).toContain('list-000000000000 released nothing');
  const approved = reportOf(await place.json('sync', '--approve', listId));
  expect(approved).toMatchObject({ exitCode: 0, approvals: [{ id: listId, used: true }] });
  expect(place.read('allowed.txt')).toContain(grown[5]);
  expect((await place.run('held')).stdout).toBe('nothing is held\n');
});

test('remove takes away what is ours, and nothing else, with no source at all', async () => {
  const aws = await awsCloud();
  aws.add('198.51.100.7/32', 'the office');
  aws.add('203.0.113.9/32', formatMarker({ owner: 'acme', target: 'renamed-since' }));
  const place = workplace({ targets: [aws.target(), FILE_TARGET] }, aws.env);
  place.write('list.txt', published(LIST));
  await place.run('sync');
  place.write('list.txt', 'no list at all');

  const asked = await place.run('remove', '--target', 'orders');
  expect(asked).toMatchObject({ code: 64, stdout: '' });
  expect(asked.stderr).toContain('Add --yes');
  const ran = await place.json('remove', '--target', 'orders', '--target', 'edge', '--yes');
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  expect(documentOf(ran, 'remove')).toMatchObject({
    targets: [
      { name: 'orders', status: 'removed', entries: { length: 4 } },
      { name: 'edge', status: 'removed', entries: { length: 3 } },
    ],
  });
  expect(aws.allowed()).toEqual(['198.51.100.7/32']);
  const again = await place.run('remove', '--target', 'orders', '--yes');
  expect(again).toMatchObject({ code: 0, stdout: 'orders  nothing of ours there\n' });
});

test('--target limits a run to some targets', async () => {
  const place = workplace({ targets: [FILE_TARGET, { ...FILE_TARGET, name: 'other', path: 'other.txt' }] });
  place.write('list.txt', published(LIST));
  const report = reportOf(await place.json('sync', '--target', 'other'));
  expect(report.targets.map(({ name }) => name)).toEqual(['other']);
  expect(existsSync(place.path('allowed.txt'))).toBe(false);
});

test('the config is found by --config, by its variable, and in the folder; relative paths start from it', async () => {
  const place = workplace({ targets: [FILE_TARGET] });
  const config = place.path('allowlist-sync.config.json');
  place.write('list.txt', published(LIST));
  mkdirSync(place.path('elsewhere'));
  const cwd = place.path('elsewhere');
  expect((await cli(['sources', '--config', '../allowlist-sync.config.json'], { cwd })).code).toBe(0);
  expect((await cli(['sources'], { cwd, env: { ALLOWLIST_SYNC_CONFIG: config } })).code).toBe(0);
  expect((await cli(['--config', config, 'sources'], { cwd })).code).toBe(0);
  expect((await cli(['sources'], { cwd })).code).toBe(64);
  place.write(
    'elsewhere/allowlist-sync.config.yaml',
    'owner: acme\ntargets: [{ name: edge, provider: file, path: x.txt }]\n',
  );
  expect((await cli(['validate'], { cwd })).code).toBe(0);
});

test('--help, of the whole and of a command, and --version go to stdout and end with 0', async () => {
  const version = await cli(['--version']);
  expect(version).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  expect(await cli(['validate', '--version'])).toMatchObject({ code: 0, stdout: version.stdout });
  const help = await cli(['--help']);
  expect(help).toMatchObject({ code: 0, stderr: '' });
  for (const command of [
    'sync',
    'check',
    'sources',
    'history',
    'remove',
    'held',
    'validate',
    'daemon',
    'demo',
  ])
    expect(help.stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
  expect(help.stdout).toContain('Exit codes: 0 done');
  for (const args of [
    ['sync', '--help'],
    ['help', 'sync'],
  ])
    expect(await cli(args)).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining('--approve'),
    });
});

test('a log is one JSON object a line on stderr, and the result stays alone on stdout', async () => {
  const place = workplace({ targets: [FILE_TARGET] });
  place.write('list.txt', published(LIST));
  const ran = await place.json('sync', '--log-level', 'debug');
  reportOf(ran);
  const messages = ran.stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).msg);
  expect(messages).toEqual(expect.arrayContaining(['source read', 'target read', 'target finished']));
  expectNoStack(ran);
});
