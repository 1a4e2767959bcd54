import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** The compiled program, as it is installed. `npm test` builds it once, before any test runs. */
export const CLI = fileURLToPath(new URL('../../dist/src/cli.js', import.meta.url));

if (!existsSync(CLI)) throw new Error(`${CLI} is not there: run \`npm run build\` first (npm test does)`);

/** How one run of the program ended, and all that it said. */
export interface Ran {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as the one JSON document that it is; throws when it is none. */
  readonly json: () => unknown;
}

/** A run that is still at work. */
export interface Running {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  /** What stderr holds so far. */
  readonly said: () => string;
  readonly ended: Promise<Ran>;
}

export interface CliOptions {
  readonly cwd?: string;
  /** Beside the few variables that every run has; nothing is inherited from whoever runs the tests. */
  readonly env?: Readonly<Record<string, string>>;
  /** Flags for node itself. */
  readonly node?: readonly string[];
}

/** Starts the program. It is killed when the test ends first. */
export function start(args: readonly string[], { cwd, env = {}, node = [] }: CliOptions = {}): Running {
  const child = spawn(process.execPath, [...node, CLI, ...args], {
    cwd: cwd ?? tmpdir(),
    env: { PATH: process.env.PATH ?? '', HOME: tmpdir(), AWS_EC2_METADATA_DISABLED: 'true', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const ended = once(child, 'close').then(([code, signal]): Ran => {
    const stdout = Buffer.concat(out).toString('utf8');
    return {
      code,
      signal,
      stdout,
      stderr: Buffer.concat(err).toString('utf8'),
      json: () => JSON.parse(stdout),
    };
  });
  return { child, said: () => Buffer.concat(err).toString('utf8'), ended };
}

/** Runs the program to its end. */
export function cli(args: readonly string[], options: CliOptions = {}): Promise<Ran> {
  return start(args, options).ended;
}

/** An installation in a folder of its own, which is gone after the test. */
export interface Workplace {
  readonly dir: string;
  readonly path: (name: string) => string;
  readonly write: (name: string, content: string) => void;
  /** Writes the config over the smallest one: owner, a list in `list.txt`, no removal delay. */
  readonly configure: (config: Readonly<Record<string, unknown>>) => void;
  readonly read: (name: string) => string;
  /** Runs the program in this folder: `run('sync', '--dry-run')`. */
  readonly run: (...args: string[]) => Promise<Ran>;
  /** The same with `--output json`. */
  readonly json: (...args: string[]) => Promise<Ran>;
  readonly start: (...args: string[]) => Running;
}

const CONFIG_NAME = 'allowlist-sync.config.json';

/** @param env of every run in this folder: endpoints, credentials */
export function workplace(
  config: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string>> = {},
): Workplace {
  const dir = mkdtempSync(join(tmpdir(), 'allowlist-cli-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const path = (name: string) => join(dir, name);
  const options = { cwd: dir, env };
  const place: Workplace = {
    dir,
    path,
    write: (name, content) => writeFileSync(path(name), content),
    configure: (wanted) =>
      writeFileSync(path(CONFIG_NAME), JSON.stringify({ ...SMALLEST, ...wanted }, null, 2)),
    read: (name) => readFileSync(path(name), 'utf8'),
    run: (...args) => cli(args, options),
    json: (...args) => cli([...args, '--output', 'json'], options),
    start: (...args) => start(args, options),
  };
  place.configure(config);
  return place;
}

const SMALLEST = {
  owner: 'acme',
  sources: [{ type: 'file', path: 'list.txt', format: 'text' }],
  safety: {
    removalDelay: '0s',
    maxGrowth: { count: null, percent: null },
    maxShrink: { count: null, percent: null },
  },
};

/** A target that needs no emulator. */
export const FILE_TARGET = { name: 'edge', provider: 'file', path: 'allowed.txt', format: 'text' };

/** Waits until `condition` gives something, and gives that. Fails, with what `state` says, after 20 s. */
export async function until<T>(condition: () => T | undefined | false, state: () => string): Promise<T> {
  const end = Date.now() + 20_000;
  for (;;) {
    const found = condition();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`it did not come to that: ${state()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
