import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FILE_TARGET, type Running, until } from '../support/cli.ts';
import { addresses, awsCloud } from '../support/pass.ts';
import { expectNoStack, reportOf } from './documents.ts';
import { IMPATIENT, LIST, serve, withList } from './setting.ts';

test('a channel that fails ends the run with 1, is named with its reason, and the sync is done all the same', async () => {
  const site = await serve({ '/hook': { status: 403, body: 'no_service' } });
  const alerts = [{ type: 'slack', webhookUrl: `${site}/hook`, name: 'on-call' }];
  const place = withList({ targets: [FILE_TARGET], alerts });
  const ran = await place.json('sync');
  const report = reportOf(ran);
  expect(report).toMatchObject({ exitCode: 1, error: null, targets: [{ status: 'changed' }] });
  expect(report.alerts).not.toEqual([]);
  expect(report.alerts.every(({ delivered }) => !delivered)).toBe(true);
  expect(place.read('allowed.txt')).toContain(LIST[0]);
  expect(ran.stderr).toContain('slack «on-call»: answered 403 «no_service»');
  expectNoStack(ran);
});

test('a service that never answers is given up at the deadline, and the channels are told of it all the same', async () => {
  const aws = await awsCloud({ fault: () => ({ kind: 'hang', when: 'before' }) });
  const site = await serve({ '/hook': { body: 'ok' } });
  const alerts = [{ type: 'webhook', url: `${site}/hook` }];
  const place = withList({ targets: [aws.target()], alerts, safety: IMPATIENT }, aws.env);
  const started = Date.now();
  const report = reportOf(await place.json('sync'));
  expect(Date.now() - started).toBeLessThan(10_000);
  expect(report).toMatchObject({ exitCode: 1, targets: [{ status: 'failed', error: { code: 'deadline' } }] });
  expect(report.alerts).toContainEqual(expect.objectContaining({ type: 'target.failed', delivered: true }));
});

test('SIGINT ends the run in the middle: what was not done is said, nothing is left locked, and the next run goes on', async () => {
  let running: Running | undefined;
  const aws = await awsCloud({
    fault: ({ writes }) => {
      if (!writes || !running) return undefined;
      running.child.kill('SIGINT');
      return { kind: 'hang', when: 'before' };
    },
  });
  const place = withList({ targets: [aws.target()] }, aws.env);
  running = place.start('sync', '--output', 'json');
  const ran = await running.ended;
  running = undefined;
  expectNoStack(ran);
  expect(reportOf(ran)).toMatchObject({
    exitCode: 1,
    targets: [{ status: 'failed', error: { code: 'stopped', message: 'stopped by SIGINT' } }],
  });
  expect(existsSync(place.path('state/lock'))).toBe(false);
  expect(reportOf(await place.json('sync')).exitCode).toBe(0);
  expect(aws.allowed()).toEqual(LIST);
});

test('a second SIGINT ends the process at once', async () => {
  const aws = await awsCloud({ fault: () => ({ kind: 'hang', when: 'before' }) });
  const site = await serve({});
  const place = withList(
    { targets: [aws.target()], sources: [{ type: 'url', url: `${site}/hang`, format: 'text' }] },
    aws.env,
  );
  const running = place.start('daemon', '--grace', '1h', '--log-level', 'debug');
  await until(() => running.said().includes('run started'), running.said);
  running.child.kill('SIGINT');
  await until(() => running.said().includes('"msg":"stopping"'), running.said);
  running.child.kill('SIGINT');
  expect(await running.ended).toMatchObject({ code: 130, signal: null });
});

test('a reader that goes away changes nothing about what is done, and about how it ended', async () => {
  const place = withList({
    targets: [FILE_TARGET, { ...FILE_TARGET, name: 'other', path: 'nowhere/other.txt' }],
  });
  const { child, ended } = place.start('sync');
  child.stdout.destroy();
  const ran = await ended;
  expect(ran).toMatchObject({ code: 1, signal: null, stderr: '' });
  expect(place.read('allowed.txt')).toContain(LIST[0]);
});

test('exit codes: wrong usage before failure before held before changes', async () => {
  const aws = await awsCloud();
  const both = [FILE_TARGET, aws.target()];
  const place = withList({ targets: both, safety: { removalDelay: '0s' } }, aws.env);
  expect((await place.run('sync')).code).toBe(0);
  aws.remove(LIST[0] ?? '');
  const codeOf = async (...args: string[]) => (await place.run(...args)).code;
  expect(await codeOf('check')).toBe(2);
  expect(await codeOf('sync', '--dry-run')).toBe(0);
  expect(await codeOf('sync', '--dry-run', '--detailed-exitcode')).toBe(2);
  place.write('list.txt', addresses(9).join('\n'));
  expect(await codeOf('check')).toBe(3);
  expect(await codeOf('sync', '--dry-run', '--detailed-exitcode')).toBe(3);
  const missing = aws.target({ name: 'gone', groupId: 'sg-0fffffffffffffff0' });
  place.configure({ targets: [...both, missing], safety: { removalDelay: '0s' } });
  expect(await codeOf('check')).toBe(1);
  expect(await codeOf('check', '--target', 'nobody')).toBe(64);
});

test('a stack is for --log-level debug alone', async () => {
  const place = withList({ targets: [FILE_TARGET], state: './list.txt/state' });
  const ran = await place.run('sync', '--log-level', 'debug');
  expect(ran.code).toBe(1);
  expect(ran.stderr).toMatch(/^error {2}.*\n {7}.*\n.*FatalError.*\n +at /m);
});
