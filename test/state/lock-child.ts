/**
 * A process of its own for lock.test.ts: `node lock-child.js <stateDir> hold` takes the lock, says so and stays;
 * `… <stateDir> count <rounds>` adds one to a counter under the lock, that often.
 */
import { randomUUID } from 'node:crypto';
import { open, readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { acquireLock, withLock } from '../../src/state/lock.ts';

/** What the process is to do. */
export type Mode = 'hold' | 'count';

const [stateDir = '', mode = '', rounds = '1'] = process.argv.slice(2);
const options = { clock: systemClock, signal: AbortSignal.timeout(25_000), uuid: randomUUID };

process.stdout.write('started\n');
if (mode === 'hold') {
  await acquireLock(stateDir, options);
  process.stdout.write('held\n');
  setInterval(() => undefined, 60_000);
} else {
  for (let round = 0; round < Number(rounds); round += 1) await withLock(stateDir, options, count);
}

async function count(): Promise<void> {
  // Fails when another process is inside.
  const inside = await open(join(stateDir, 'inside'), 'wx');
  const file = join(stateDir, 'count');
  const before = Number(await readFile(file, 'utf8').catch(() => '0'));
  await writeFile(file, String(before + 1));
  await inside.close();
  await unlink(join(stateDir, 'inside'));
}
