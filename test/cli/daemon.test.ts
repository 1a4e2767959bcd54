import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { FILE_TARGET, type Running, until, type Workplace, workplace } from '../support/cli.ts';
import { addresses, awsCloud } from '../support/pass.ts';
import { documentOf, expectNoStack, reportOf } from './documents.ts';

const LIST = addresses(3);
const YEARLY = { cron: '0 0 1 1 *' };
const EVERY_SECOND = { cron: '* * * * * *' };

const lineSchema = z.looseObject({ level: z.string(), time: z.string(), msg: z.string() });
type Line = z.output<typeof lineSchema>;

/** The log so far; a line that is half written is left for the next look. */
function log({ said }: Running): Line[] {
  const lines = said().split('\n').slice(0, -1);
  return lines.map((line) => lineSchema.parse(JSON.parse(line)));
}

/** The `nth` line with this message, once it is there. */
function logged(running: Running, msg: string, nth = 1): Promise<Line> {
  return until(() => log(running).filter((line) => line.msg === msg)[nth - 1], running.said);
}

/** A source that answers when the test says so. */
async function slowSource() {
  const waiting: ServerResponse[] = [];
  let most = 0;
  const server = createServer((_, response) => {
    waiting.push(response);
    most = Math.max(most, waiting.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return {
    source: { type: 'url', url: `http://127.0.0.1:${port}/list`, format: 'text' },
    asked: () => waiting.length,
    /** How many requests waited at the same time. */
    most: () => most,
    answer: () => {
      for (const response of waiting.splice(0))
        response.writeHead(200, { 'content-type': 'text/plain' }).end(LIST.join('\n'));
    },
  };
}

function publishing(config: Record<string, unknown>, env: Record<string, string> = {}): Workplace {
  const place = workplace(config, env);
  place.write('list.txt', LIST.join('\n'));
  return place;
}

test('the first run is at the start; SIGTERM ends an idle daemon with 0; its log is JSON lines on stderr', async () => {
  const aws = await awsCloud();
  const place = publishing({ targets: [aws.target()], schedule: YEARLY }, aws.env);
  const running = place.start('daemon', '--output', 'json');
  expect(await logged(running, 'daemon started')).toMatchObject({
    level: 'info',
    targets: 1,
    cron: YEARLY.cron,
  });
  expect(await logged(running, 'run finished')).toMatchObject({ level: 'info', exitCode: 0, addresses: 3 });
  expect(aws.allowed()).toEqual(LIST);
  running.child.kill('SIGTERM');
  const ran = await running.ended;
  expect(ran.code).toBe(0);
  expect(documentOf(ran, 'daemon')).toMatchObject({ outcome: 'idle' });
  expect(log(running).map(({ msg }) => msg)).toEqual([
    'daemon started',
    'run started',
    'target changed',
    'run finished',
    'stopping',
    'stopped',
  ]);
  expectNoStack(ran);
});

test('it runs again on its schedule, and the second run finds nothing to do', async () => {
  const aws = await awsCloud();
  const place = publishing({ targets: [aws.target()], schedule: EVERY_SECOND }, aws.env);
  const running = place.start('daemon');
  await logged(running, 'run finished', 3);
  running.child.kill('SIGTERM');
  expect((await running.ended).code).toBe(0);
  const reasons = log(running).flatMap(({ msg, reason }) => (msg === 'run started' ? [reason] : []));
  expect(reasons.slice(0, 3)).toEqual(['start', 'tick', 'tick']);
  expect(log(running).filter(({ msg }) => msg === 'target changed')).toHaveLength(1);
  expect(aws.ec2.requests.filter(({ writes }) => writes)).toHaveLength(1);
});

test('SIGTERM lets the run in hand come to its end, within the grace period', async () => {
  const { source, asked, answer } = await slowSource();
  const place = publishing({ targets: [FILE_TARGET], sources: [source], schedule: YEARLY });
  const running = place.start('daemon', '--grace', '60s');
  await until(() => asked() > 0, running.said);
  running.child.kill('SIGTERM');
  expect(await logged(running, 'stopping')).toMatchObject({ busy: true, grace: '1m' });
  answer();
  const ran = await running.ended;
  expect(ran.code).toBe(0);
  expect(log(running).slice(-2)).toMatchObject([
    { msg: 'run finished', exitCode: 0 },
    { msg: 'stopped', outcome: 'finished' },
  ]);
  expect(place.read('allowed.txt')).toContain(LIST[0]);
});

test('a run that does not come to its end within the grace period is ended, and leaves no lock', async () => {
  const { source, asked } = await slowSource();
  const place = publishing({ targets: [FILE_TARGET], sources: [source], schedule: YEARLY });
  const running = place.start('daemon', '--grace', '1s');
  await until(() => asked() > 0, running.said);
  running.child.kill('SIGTERM');
  const ran = await running.ended;
  expect(ran.code).toBe(0);
  expect(await logged(running, 'stopped')).toMatchObject({ outcome: 'aborted' });
  place.configure({ targets: [FILE_TARGET] });
  expect(reportOf(await place.json('sync')).exitCode).toBe(0);
});

test('runs never overlap: a tick that comes meanwhile is skipped, and the log says so', async () => {
  const { source, asked, most, answer } = await slowSource();
  const place = publishing({ targets: [FILE_TARGET], sources: [source], schedule: EVERY_SECOND });
  const running = place.start('daemon');
  await until(() => asked() > 0, running.said);
  await logged(running, 'tick skipped: the run before is still at work', 2);
  expect(most()).toBe(1);
  answer();
  await logged(running, 'run finished');
  await until(() => asked() > 0, running.said);
  answer();
  await logged(running, 'run finished', 2);
  expect(most()).toBe(1);
  running.child.kill('SIGTERM');
  await logged(running, 'stopping');
  answer();
  expect((await running.ended).code).toBe(0);
});

test('SIGHUP reads the config again: a valid one is used, an invalid one is refused and the old one stays', async () => {
  const place = publishing({ targets: [FILE_TARGET], schedule: YEARLY });
  const running = place.start('daemon');
  await logged(running, 'run finished');

  place.configure({ targets: [FILE_TARGET], schedule: EVERY_SECOND, ownr: 'acme' });
  running.child.kill('SIGHUP');
  const refused = await logged(running, 'the new config is refused; the old one stays');
  expect(refused).toMatchObject({
    level: 'error',
    err: { code: 'config-invalid', message: expect.stringContaining('ownr: unknown key') },
  });

  const second = { ...FILE_TARGET, name: 'second', path: 'second.txt' };
  place.configure({ targets: [FILE_TARGET, second], schedule: EVERY_SECOND });
  running.child.kill('SIGHUP');
  await logged(running, 'config read again');
  // By the new schedule the target that is new is changed; by the old one nothing would happen this year.
  await until(
    () => log(running).find(({ msg, target }) => msg === 'target changed' && target === 'second'),
    running.said,
  );
  expect(place.read('second.txt')).toContain(LIST[0]);
  running.child.kill('SIGTERM');
  const ran = await running.ended;
  expect(ran.code).toBe(0);
  expectNoStack(ran);
});

test('a run that fails is in the log with what to do, and the daemon goes on', async () => {
  const aws = await awsCloud();
  const missing = aws.target({ groupId: 'sg-0fffffffffffffff0' });
  const place = publishing({ targets: [missing], schedule: EVERY_SECOND }, aws.env);
  const running = place.start('daemon');
  expect(await logged(running, 'target failed')).toMatchObject({
    level: 'error',
    target: 'orders',
    code: 'target-missing',
    reason: expect.stringContaining('sg-0fffffffffffffff0'),
    hint: expect.stringContaining('Check'),
  });
  place.write('list.txt', 'no list');
  await until(
    () => log(running).find(({ msg, status }) => msg === 'source failed' && status === 'malformed'),
    running.said,
  );
  running.child.kill('SIGTERM');
  const ran = await running.ended;
  expect(ran.code).toBe(0);
  expectNoStack(ran);
});

test('a state that cannot be written fails each run, and not the daemon', async () => {
  const place = publishing({ targets: [FILE_TARGET], state: './list.txt/state', schedule: EVERY_SECOND });
  const running = place.start('daemon');
  const line = await logged(running, 'run failed', 2);
  expect(line).toMatchObject({ err: { code: 'state-unusable', hint: expect.any(String) } });
  running.child.kill('SIGTERM');
  const ran = await running.ended;
  expect(ran.code).toBe(0);
  expectNoStack(ran);
});
