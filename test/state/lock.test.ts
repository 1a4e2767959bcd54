import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import { acquireLock, type LockOptions, withLock } from '../../src/state/lock.ts';
import { instantClock } from '../support/io.ts';
import { temporaryFolder } from '../support/state.ts';
import type { Mode } from './lock-child.ts';

const COMPILED = join('node_modules', '.cache', 'allowlist-sync', `lock-${process.pid}`);

// The processes are real ones, and Node 20 runs no TypeScript.
beforeAll(() => {
  const flags = '--ignoreConfig --module nodenext --target es2023 --types node --skipLibCheck --rootDir .';
  execFileSync(process.execPath, [
    join('node_modules', 'typescript', 'bin', 'tsc'),
    ...flags.split(' '),
    ...['--rewriteRelativeImportExtensions', '--outDir', COMPILED, join('test', 'state', 'lock-child.ts')],
  ]);
});
afterAll(() => rm(COMPILED, { recursive: true, force: true }));

const never = new AbortController().signal;

/** A clock on which nobody may wait. */
const impatient: Clock = { now: Date.now, sleep: () => Promise.reject(new Error('waited')) };

function options(given: Partial<LockOptions> = {}): LockOptions {
  return { clock: impatient, signal: never, uuid: randomUUID, ...given };
}

function child(dir: string, mode: Mode, ...args: string[]): ChildProcess {
  const script = join(COMPILED, 'test', 'state', 'lock-child.js');
  const started = spawn(process.execPath, [script, dir, mode, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void started.kill('SIGKILL'));
  return started;
}

async function says(process: ChildProcess, word: string): Promise<void> {
  for await (const chunk of process.stdout ?? []) if (String(chunk).includes(word)) return;
  throw new Error(`it ended without saying «${word}»`);
}

async function holderFile(dir: string): Promise<string> {
  const [name = ''] = await readdir(join(dir, 'lock'));
  return join(dir, 'lock', name);
}

test('the holder is named by the lock while it is held, and nothing is left when it is released', async () => {
  const dir = await temporaryFolder();
  const lock = await acquireLock(dir, options({ pid: 4711, host: 'north' }));
  expect(await holderFile(dir)).toMatch(/lock\/4711@north\.[0-9a-f-]{36}\.json$/);
  expect(JSON.parse(await readFile(await holderFile(dir), 'utf8'))).toMatchObject({
    pid: 4711,
    host: 'north',
  });
  expect((await stat(join(dir, 'lock'))).mode & 0o777).toBe(0o700);
  await lock.release();
  await lock.release();
  expect(await readdir(dir)).toEqual([]);
});

test('a second run waits, and goes on when the first one is done', async () => {
  const dir = await temporaryFolder();
  const first = await acquireLock(dir, options());
  let polls = 0;
  const clock: Clock = {
    now: () => 0,
    sleep: async () => {
      polls += 1;
      if (polls === 3) await first.release();
    },
  };
  const second = await acquireLock(dir, options({ clock }));
  expect(polls).toBe(3);
  await second.release();
});

test('a second run whose deadline passes is told the pid and host of the holder', async () => {
  const dir = await temporaryFolder();
  const first = await acquireLock(dir, options({ pid: 4711, host: 'north', isAlive: () => true }));
  const deadline = new AbortController();
  let waits = 0;
  const clock: Clock = {
    now: () => waits * 100,
    sleep: async () => {
      waits += 1;
      if (waits === 20) deadline.abort(new Error('deadline'));
      deadline.signal.throwIfAborted();
    },
  };
  const second = acquireLock(dir, options({ clock, signal: deadline.signal }));
  await expect(second).rejects.toMatchObject({
    code: 'state-locked',
    message: expect.stringMatching(/locked by pid 4711 on north, since .*Z \(waited 2 s\)$/),
  });
  expect(await readdir(dir)).toEqual(['lock']);
  await first.release();
});

test('the lock of a process that was killed is taken over at once', async () => {
  const dir = await temporaryFolder();
  const holder = child(dir, 'hold');
  await says(holder, 'held');
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const lock = await acquireLock(dir, options());
  expect(await holderFile(dir)).toContain(`/${process.pid}@${hostname()}.`);
  await lock.release();
});

test('a living process of this host keeps its lock', async () => {
  const dir = await temporaryFolder();
  const holder = child(dir, 'hold');
  await says(holder, 'held');
  await expect(acquireLock(dir, options())).rejects.toMatchObject({
    code: 'state-locked',
    message: expect.stringContaining(`pid ${holder.pid} on ${hostname()}`),
  });
});

test('of twenty processes never two are inside, also when the holder they wait for is killed', async () => {
  const dir = await temporaryFolder();
  const holder = child(dir, 'hold');
  await says(holder, 'held');
  const contenders = Array.from({ length: 20 }, () => child(dir, 'count', '3'));
  const exits = contenders.map(async (one) => (await once(one, 'exit'))[0]);
  await Promise.all(contenders.map((one) => says(one, 'started')));
  holder.kill('SIGKILL');
  expect(await Promise.all(exits)).toEqual(contenders.map(() => 0));
  expect(await readFile(join(dir, 'count'), 'utf8')).toBe('60');
  expect((await readdir(dir)).sort()).toEqual(['count']);
});

test('of many that find a dead holder exactly one takes over, again and again', async () => {
  const dir = await temporaryFolder();
  for (let round = 0; round < 8; round += 1) {
    await acquireLock(dir, options({ pid: 1_000_000 + round }));
    let inside = 0;
    let most = 0;
    const clock: Clock = { now: Date.now, sleep: () => new Promise((resolve) => setImmediate(resolve)) };
    const isAlive = (pid: number) => pid === process.pid;
    const contend = () =>
      withLock(dir, options({ clock, isAlive }), async () => {
        inside += 1;
        most = Math.max(most, inside);
        await new Promise((resolve) => setImmediate(resolve));
        inside -= 1;
      });
    await Promise.all(Array.from({ length: 12 }, contend));
    expect(most).toBe(1);
  }
});

test.each([
  ['on another host', 'elsewhere', () => false],
  ['whose pid is somebody else’s by now', hostname(), () => true],
])('a holder %s is given up only after ten seconds without a heartbeat', async (_, host, isAlive) => {
  const dir = await temporaryFolder();
  await acquireLock(dir, options({ pid: 1_000_000, heartbeatMs: 1_000_000, host }));
  const clock = instantClock();
  const lock = await acquireLock(dir, options({ clock, isAlive }));
  expect(clock.now()).toBe(10_000);
  await lock.release();
});

test('the age of the heartbeat does not count, so that a clock set forward makes nobody look dead', async () => {
  const dir = await temporaryFolder();
  await acquireLock(dir, options({ host: 'elsewhere', heartbeatMs: 1_000_000 }));
  await utimes(await holderFile(dir), 0, 0);
  await expect(acquireLock(dir, options())).rejects.toMatchObject({ code: 'state-locked' });
});

test('a holder whose heart beats is never given up', async () => {
  const dir = await temporaryFolder();
  await acquireLock(dir, options({ host: 'elsewhere', heartbeatMs: 1_000_000 }));
  const file = await holderFile(dir);
  let waited = 0;
  const clock: Clock = {
    now: () => waited,
    sleep: async (ms) => {
      waited += ms;
      if (waited % 9000 === 0) await utimes(file, waited, waited);
      if (waited >= 120_000) throw new Error('deadline');
    },
  };
  await expect(acquireLock(dir, options({ clock }))).rejects.toMatchObject({ code: 'state-locked' });
});

test('a run whose lock was taken over is told by its signal, and leaves the lock of the other alone', async () => {
  const dir = await temporaryFolder();
  const slept = await acquireLock(dir, options({ host: 'elsewhere', heartbeatMs: 5 }));
  const told = once(slept.signal, 'abort');
  await unlink(await holderFile(dir));
  const other = await acquireLock(dir, options());
  await told;
  expect(slept.signal.reason).toMatchObject({ code: 'state-locked' });
  await slept.release();
  expect(await holderFile(dir)).toContain(`/${process.pid}@`);
  await other.release();
});

test('work under the lock is given a signal that the loss of the lock aborts', async () => {
  const dir = await temporaryFolder();
  const work = withLock(dir, options({ heartbeatMs: 5 }), async (signal) => {
    await unlink(await holderFile(dir));
    await once(signal, 'abort');
    signal.throwIfAborted();
  });
  await expect(work).rejects.toMatchObject({ code: 'state-locked' });
});

test('the lock is released when the work fails', async () => {
  const dir = await temporaryFolder();
  const work = withLock(dir, options(), () => Promise.reject(new Error('no')));
  await expect(work).rejects.toThrow('no');
  expect(await readdir(dir)).toEqual([]);
});

test('a crash between two steps leaves nothing that stops the next run', async () => {
  const dir = await temporaryFolder();
  const draft = `lock.${randomUUID()}`;
  const recent = `lock.${randomUUID()}`;
  await mkdir(join(dir, 'lock'));
  await mkdir(join(dir, draft));
  await mkdir(join(dir, recent));
  await writeFile(join(dir, 'state.json.12345'), '');
  await writeFile(join(dir, 'state.json'), '{}');
  for (const old of [draft, 'state.json.12345', 'state.json']) await utimes(join(dir, old), 1, 1);
  const lock = await acquireLock(dir, options());
  expect((await readdir(dir)).sort()).toEqual(['lock', recent, 'state.json']);
  await lock.release();
});

test('a state folder that cannot be used is named', async () => {
  const dir = await temporaryFolder();
  await writeFile(join(dir, 'file'), '');
  await expect(acquireLock(join(dir, 'file'), options())).rejects.toMatchObject({
    code: 'state-unusable',
    message: expect.stringContaining(join(dir, 'file')),
  });
  await writeFile(join(dir, 'lock'), '');
  await expect(acquireLock(dir, options())).rejects.toMatchObject({ code: 'state-unusable' });
});
