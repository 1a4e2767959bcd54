import { mkdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { cli, FILE_TARGET, workplace } from '../support/cli.ts';
import { refusal } from './setting.ts';

test.each([
  ['an unknown command', ['snyc'], "unknown command 'snyc' (Did you mean sync?)", '--help'],
  [
    'an unknown flag',
    ['sync', '--dryrun'],
    "unknown option '--dryrun' (Did you mean --dry-run?)",
    'sync --help',
  ],
  [
    'a flag without its value',
    ['check', '--target'],
    "option '--target <name...>' argument missing",
    'check --help',
  ],
  ['a bad --limit', ['history', '--limit', '0'], 'whole number of at least 1', 'history --help'],
  ['a --limit that is no number', ['history', '--limit', '1e3'], 'whole number', 'history --help'],
  [
    'an unknown log level',
    ['sync', '--log-level', 'loud'],
    'error, warn, info, debug, silent',
    'sync --help',
  ],
  ['a word too many', ['validate', 'config.json'], 'too many arguments', 'validate --help'],
  ['remove without a target', ['remove', '--yes'], "'--target <name...>' not specified", 'remove --help'],
  ['a grace that is no duration', ['daemon', '--grace', '5'], 'such as 30s', 'daemon --help'],
])('%s is wrong usage, and the line says what would be right', async (_, args, message, help) => {
  const said = await refusal(workplace({ targets: [FILE_TARGET] }), args, { code: 64, error: 'usage' });
  expect(said).toContain(message);
  expect(said).toContain(`See \`allowlist-sync ${help}\`.`);
});

test('an unknown form of output is wrong usage', async () => {
  const ran = await cli(['sync', '--output', 'xml']);
  expect(ran).toMatchObject({ code: 64, stdout: '' });
  expect(ran.stderr).toContain('text, json, markdown');
});

test('no command at all shows the help, on stderr, and ends with 64', async () => {
  const ran = await cli([]);
  expect(ran).toMatchObject({ code: 64, stdout: '' });
  expect(ran.stderr).toMatch(/^Usage: allowlist-sync/);
  expect(ran.stderr).toMatch(/error {2}no command was given\n.*--help`\.\n$/);
});

test('an unknown target is wrong usage, and the known ones are named', async () => {
  const place = workplace({ targets: [FILE_TARGET] });
  for (const args of [['sync'], ['check'], ['remove', '--yes']]) {
    const said = await refusal(place, [...args, '--target', 'egde'], { code: 64, error: 'usage' });
    expect(said).toContain('no target is called egde');
    expect(said).toContain('are edge.');
  }
});

test('a config that is missing is told with the places that were looked at', async () => {
  const place = workplace({ targets: [FILE_TARGET] });
  const missing = { code: 64, error: 'config-missing' };
  for (const command of ['sync', 'sources', 'history', 'held', 'validate', 'daemon'])
    expect(await refusal(place, [command, '--config', 'nope.json'], missing)).toContain(
      'no config file: nope.json (--config) does not exist',
    );
  mkdirSync(place.path('empty'));
  const ran = await cli(['check'], { cwd: place.path('empty') });
  expect(ran.stderr).toMatch(
    /looked for allowlist-sync\.config\.json, .*yaml, .* in .*empty\n.*--config FILE/s,
  );
});

test('a mistyped key is named with its place and what was meant, in every command', async () => {
  const place = workplace({ targets: [{ ...FILE_TARGET, mod: 'observe' }], scheduel: {} });
  for (const command of ['validate', 'sync', 'history']) {
    const said = await refusal(place, [command], { code: 64, error: 'config-invalid' });
    expect(said).toContain('targets[0].mod: unknown key; did you mean mode?');
    expect(said).toContain('scheduel: unknown key; did you mean schedule?');
  }
});

test('JSON that cannot be read is told with line and column', async () => {
  const place = workplace({ targets: [FILE_TARGET] });
  place.write('allowlist-sync.config.json', '{\n  "owner": "acme"\n  "targets": []\n}');
  expect(await refusal(place, ['validate'], { code: 64, error: 'config-invalid' })).toContain(
    'allowlist-sync.config.json:3:3: comma expected',
  );
});

test('a variable that is not set is named with the place that asks for it', async () => {
  const alerts = [{ type: 'slack', webhookUrl: '${SLACK_WEBHOOK_URL}' }];
  const place = workplace({ targets: [FILE_TARGET], alerts });
  expect(await refusal(place, ['sync'], { code: 64, error: 'config-invalid' })).toContain(
    'alerts[0].webhookUrl: the environment variable SLACK_WEBHOOK_URL is not set',
  );
});
