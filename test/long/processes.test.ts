import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { addresses, awsCloud, gcpCloud } from '../support/pass.ts';
import { allowedByGroup, allowedByRules, OPEN_LIMITS } from '../support/trial.ts';
import { startWitness } from '../support/witness.ts';

const SCRIPT = fileURLToPath(new URL('sync-many.js', import.meta.url));
/** Syncs of each of the two processes. */
const RUNS = 200;
const POOL = addresses(200);
const MANY = 8;

const endedSchema = z.array(z.object({ exitCode: z.int(), codes: z.array(z.string()) }));
type Ended = z.output<typeof endedSchema>;

/** Two clouds, a list that moves on, and hosts that share the list and whatever state folder they are given. */
async function setting() {
  const look = () => {
    onAws.look(allowedByGroup(aws.ec2, aws.groupId));
    onGcp.look(allowedByRules(gcp.compute));
  };
  const onAws = startWitness({ now: Date.now, delayMs: 0 });
  const onGcp = startWitness({ now: Date.now, delayMs: 0 });
  const aws = await awsCloud({ observe: look });
  const gcp = await gcpCloud({ observe: look });
  const dir = mkdtempSync(join(tmpdir(), 'allowlist-two-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  let from = 0;

  /** The oldest address leaves the list and a new one comes. What has left never comes back. */
  function moveOn(): string[] {
    const list = POOL.slice(from, from + MANY);
    from += 1;
    for (const witness of [onAws, onGcp]) witness.want(list.map((cidr) => `${cidr} tcp 5432`));
    writeFileSync(join(dir, 'list.new'), list.map((cidr) => `${cidr}\n`).join(''));
    renameSync(join(dir, 'list.new'), join(dir, 'list.txt'));
    return list;
  }

  function host(name: string, state: string): ChildProcess {
    const config = join(dir, `${name}.json`);
    const safety = { ...OPEN_LIMITS, removalDelay: '0s' };
    const sources = [{ type: 'file', path: 'list.txt', format: 'text' }];
    const targets = [aws.target(), gcp.target()];
    writeFileSync(config, JSON.stringify({ owner: 'acme', sources, targets, safety, state }));
    const child = fork(SCRIPT, [config], {
      env: { PATH: process.env.PATH, HOME: dir, AWS_EC2_METADATA_DISABLED: 'true', ...aws.env, ...gcp.env },
      execArgv: [],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    return child;
  }

  return {
    moveOn,
    host,
    wrongs: () => [...onAws.wrongs, ...onGcp.wrongs].slice(0, 5),
    looks: () => onAws.looks + onGcp.looks,
    allowed: () => [aws.allowed(), gcp.allowed()],
  };
}

async function runs(child: ChildProcess, count: number): Promise<Ended> {
  child.send(count);
  const [message] = await once(child, 'message');
  return endedSchema.parse(message);
}

test(`two processes with one state sync ${RUNS} times each while the list changes: none harms anybody, none fails`, async () => {
  const { moveOn, host, wrongs, looks, allowed } = await setting();
  moveOn();
  const children = [host('one', './state'), host('two', './state')];
  let changes = 0;
  const timer = setInterval(() => {
    if (changes < POOL.length - MANY - 1) changes += moveOn().length > 0 ? 1 : 0;
  }, 150);
  const ended = (await Promise.all(children.map((child) => runs(child, RUNS)))).flat();
  clearInterval(timer);
  const list = moveOn();
  const [first] = children;
  if (first) await runs(first, 2);
  console.log(
    `processes: one state, 2 x ${RUNS} syncs, ${changes} changes of the list, ${looks()} requests checked`,
  );
  expect(ended.filter(({ exitCode }) => exitCode !== 0)).toEqual([]);
  expect(wrongs()).toEqual([]);
  expect(allowed()).toEqual([list, list]);
});

test(`two hosts with a state each sync ${RUNS} times each, always both at once: none harms anybody`, async () => {
  const { moveOn, host, wrongs, looks, allowed } = await setting();
  const children = [host('one', './state-one'), host('two', './state-two')];
  const ended: Ended = [];
  let list: string[] = [];
  const each = 4;
  for (let round = 0; round < RUNS / each; round += 1) {
    list = moveOn();
    ended.push(...(await Promise.all(children.map((child) => runs(child, each)))).flat());
    expect(wrongs()).toEqual([]);
    expect(allowed()).toEqual([list, list]);
  }
  const failed = ended.filter(({ exitCode }) => exitCode !== 0);
  console.log(
    `processes: two states, 2 x ${RUNS} syncs, ${failed.length} gave up for the next to finish, ${looks()} requests checked`,
  );
  expect(failed.flatMap(({ codes }) => codes).filter((code) => code !== 'conflict')).toEqual([]);
});
