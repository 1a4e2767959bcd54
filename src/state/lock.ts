import {
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import { FatalError } from '../errors.ts';
import { ensureFolder, FILE_MODE, systemCode, unusable } from './files.ts';

/*
 * The lock is the folder `lock` with one file in it that names its holder. Each step is one atomic call of the file
 * system, so there is no moment at which a crash leaves something that two processes read differently:
 *
 * - Taking: a folder with the holder's file already in it is renamed to `lock`. POSIX rename(2) lets this succeed
 *   only where `lock` is absent or empty, so of many exactly one wins, and a lock is never without its holder.
 * - Taking over from the dead: exactly the file of that holder is unlinked. Its name is unique to one acquisition,
 *   so this can never hit somebody who took the lock meanwhile. The folder is then empty: free for anyone.
 *
 * mkdir-based locks, such as proper-lockfile's, remove a stale folder by its path: of two that saw it stale, the
 * slower one removes the fresh lock of the faster one, and both hold it until a heartbeat tells.
 */

const LOCK = 'lock';
const POLL_MS = 100;
const HEARTBEAT_MS = 2500;
/** A holder that cannot be asked (another host, a reused pid) is given up after this long without a heartbeat. */
const STALE_MS = 10_000;
/** Drafts and temporary files that a crash left behind are swept away after this long. */
const LITTER_MS = 3_600_000;
const LITTER = /^(lock\.[0-9a-f-]{36}|[a-z-]+\.json\.\d+)$/;

export interface LockOptions {
  /** For the waiting. The heartbeat keeps real time, since it is the process that must be alive. */
  clock: Clock;
  /** Ends the waiting: the run's deadline. */
  signal: AbortSignal;
  /** A fresh unique id. */
  uuid: () => string;
  pid?: number;
  host?: string;
  /** Whether a process of this host lives. */
  isAlive?: (pid: number) => boolean;
  /** Milliseconds between heartbeats. Default 2500. */
  heartbeatMs?: number;
}

export interface Lock {
  /** Aborted with `state-locked` when the lock was lost: somebody took it over since this process did not move. */
  readonly signal: AbortSignal;
  /** Frees the lock. Never throws, and does nothing the second time. */
  release(): Promise<void>;
}

const holderSchema = z.object({
  pid: z.int(),
  host: z.string(),
  /** Where pids mean the same: two containers can share a host's name and have pids of their own. */
  space: z.string().nullable(),
  since: z.string(),
});

interface Holder {
  readonly path: string;
  readonly heartbeat: number;
  /** Undefined where the file is none of ours. */
  readonly who: z.output<typeof holderSchema> | undefined;
}

/** Runs `work` under the lock. It is given a signal that ends with `options.signal` or when the lock is lost. */
export async function withLock<T>(
  stateDir: string,
  options: LockOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const lock = await acquireLock(stateDir, options);
  try {
    return await work(AbortSignal.any([options.signal, lock.signal]));
  } finally {
    await lock.release();
  }
}

/**
 * Takes the one lock on the state folder, and waits for it while another run holds it. The lock of a process that
 * is dead is taken over at once, that of one that cannot be asked after 10 s without a heartbeat.
 *
 * Throws `state-locked`, which names the holder's pid and host, when the signal is aborted first; `state-unusable`
 * when the folder cannot be written.
 */
export async function acquireLock(stateDir: string, options: LockOptions): Promise<Lock> {
  const { clock, signal, uuid, pid = process.pid, host = hostname(), isAlive = isProcessAlive } = options;
  const space = await pidSpace();
  await ensureFolder(stateDir);
  const path = join(stateDir, LOCK);
  const started = clock.now();
  let watched: { holder: Holder; forMs: number } | undefined;
  for (;;) {
    const holder = await look(path);
    if (!holder) {
      const id = uuid();
      const name = `${pid}@${host.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 100)}.${id}.json`;
      const who = { pid, host, space, since: new Date(clock.now()).toISOString() };
      if (await take(path, `${path}.${id}`, name, JSON.stringify(who))) {
        await sweep(stateDir, clock.now());
        return hold(path, join(path, name), options.heartbeatMs ?? HEARTBEAT_MS);
      }
    } else {
      const still = watched?.holder.path === holder.path && watched.holder.heartbeat === holder.heartbeat;
      watched = { holder, forMs: still ? (watched?.forMs ?? 0) : 0 };
      const near = holder.who?.host === host && holder.who.space === space;
      const dead = near && holder.who !== undefined && !isAlive(holder.who.pid);
      if (dead || watched.forMs >= STALE_MS) {
        await evict(holder.path);
        continue;
      }
    }
    try {
      await clock.sleep(POLL_MS, signal);
    } catch (cause) {
      throw lockedBy(stateDir, holder?.who, clock.now() - started, cause);
    }
    // Counted in our own waits, so that a clock set forward, or a host that slept, makes nobody look dead.
    if (watched) watched.forMs += POLL_MS;
  }
}

/** The holder, or undefined when the lock is free. */
async function look(path: string): Promise<Holder | undefined> {
  try {
    const [name] = (await readdir(path)).sort();
    if (name === undefined) return undefined;
    const file = join(path, name);
    const { mtimeMs } = await stat(file);
    return { path: file, heartbeat: mtimeMs, who: parseHolder(await readFile(file, 'utf8')) };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw unusable(path, error);
  }
}

function parseHolder(text: string): Holder['who'] {
  try {
    return holderSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

async function take(path: string, draft: string, name: string, content: string): Promise<boolean> {
  try {
    await mkdir(draft, { mode: 0o700 });
    await writeFile(join(draft, name), content, { mode: FILE_MODE, flag: 'wx' });
    await rename(draft, path);
    return true;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (['ENOTEMPTY', 'EEXIST'].includes(systemCode(error) ?? '')) return false;
    throw unusable(path, error);
  }
}

async function evict(file: string): Promise<void> {
  try {
    await unlink(file);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw unusable(file, error);
  }
}

function hold(path: string, file: string, heartbeatMs: number): Lock {
  const lost = new AbortController();
  let failures = 0;
  let released = false;
  const beat = async (): Promise<void> => {
    try {
      const now = new Date();
      await utimes(file, now, now);
      failures = 0;
    } catch (error) {
      failures += 1;
      const gone = systemCode(error) === 'ENOENT' || failures * heartbeatMs >= STALE_MS;
      if (!gone || released) return;
      clearInterval(timer);
      const message = `the lock on ${path} was lost: another run took it over while this one did not move`;
      lost.abort(new FatalError('state-locked', message, { hint: 'The next run goes on from here.' }));
    }
  };
  const timer = setInterval(() => void beat(), heartbeatMs).unref();
  return {
    signal: lost.signal,
    release: async () => {
      released = true;
      clearInterval(timer);
      // When the lock was lost the file is gone already, and the folder is somebody else's and not empty.
      await unlink(file).catch(() => undefined);
      await rmdir(path).catch(() => undefined);
    },
  };
}

function lockedBy(stateDir: string, who: Holder['who'], waitedMs: number, cause: unknown): FatalError {
  const holder = who ? `pid ${who.pid} on ${who.host}, since ${who.since}` : 'a run that cannot be named';
  const waited = `waited ${Math.round(waitedMs / 1000)} s`;
  return new FatalError('state-locked', `the state in ${stateDir} is locked by ${holder} (${waited})`, {
    cause,
  });
}

/** Under the lock nobody else writes here, so what is old is what a crash left. */
async function sweep(stateDir: string, now: number): Promise<void> {
  for (const name of await readdir(stateDir).catch(() => [])) {
    if (!LITTER.test(name)) continue;
    const path = join(stateDir, name);
    const age = now - ((await stat(path).catch(() => undefined))?.mtimeMs ?? now);
    if (age > LITTER_MS) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and is somebody else's.
    return systemCode(error) !== 'ESRCH';
  }
}

/** This boot and pid namespace on Linux (https://man7.org/linux/man-pages/man7/pid_namespaces.7.html), else null. */
async function pidSpace(): Promise<string | null> {
  try {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    return `${boot.trim()} ${await readlink('/proc/self/ns/pid')}`;
  } catch {
    return null;
  }
}
