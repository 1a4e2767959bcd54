import { mkdirSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FILE_TARGET } from '../support/cli.ts';
import { documentOf, reportOf } from './documents.ts';
import { IMPATIENT, refusal, withList } from './setting.ts';

test('a state that is locked is told with its holder, once the deadline is over', async () => {
  const place = withList({ targets: [FILE_TARGET], safety: IMPATIENT });
  mkdirSync(place.path('state/lock'), { recursive: true });
  const holder = { pid: process.pid, host: 'another-host', space: null, since: '2026-03-01T12:00:00.000Z' };
  writeFileSync(place.path('state/lock/1@another-host.x.json'), JSON.stringify(holder));
  const said = await refusal(place, ['sync'], { code: 1, error: 'state-locked' });
  expect(said).toMatch(new RegExp(`locked by pid ${process.pid} on another-host, since 2026-03-01`));
  // What only looks waits for nobody.
  expect((await place.run('check')).code).toBe(2);
});

test('a state that cannot be used is told with its path', async () => {
  const place = withList({ targets: [FILE_TARGET], state: './list.txt/state' });
  for (const command of ['sync', 'check', 'history', 'held']) {
    const said = await refusal(place, [command], { code: 1, error: 'state-unusable' });
    expect(said).toContain(place.path('list.txt/state'));
    expect(said).toContain('a part of the path is no folder');
  }
});

test('a broken state.json is a lost memory: the run goes on and says so, and held does not say that nothing is held', async () => {
  const place = withList({ targets: [FILE_TARGET] });
  await place.run('sync');
  place.write('state/state.json', '{"version": 1, "acc');
  expect(await refusal(place, ['held'], { code: 1, error: 'state-unusable' })).toContain(
    'state.json is not JSON',
  );
  const report = reportOf(await place.json('sync'));
  expect(report.exitCode).toBe(0);
  expect(report.targets[0]?.warnings).toMatchObject([{ code: 'state-lost' }]);
  expect((await place.run('held')).stdout).toBe('nothing is held\n');
});

test('a torn line of the journal is passed over, and counted', async () => {
  const place = withList({ targets: [FILE_TARGET] });
  await place.run('sync');
  const journal = place.read('state/journal.jsonl');
  place.write('state/journal.jsonl', `${journal.slice(0, 40)}\n${journal}{"at":"2026-`);
  const ran = await place.json('history');
  expect(ran.code).toBe(0);
  expect(documentOf(ran, 'history')).toMatchObject({ records: { length: 3 }, skipped: 2 });
  expect((await place.run('history')).stdout).toContain('2 lines of the journal cannot be read');
});
