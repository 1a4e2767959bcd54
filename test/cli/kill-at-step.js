// Preloaded into the program (--import): kills it, without any warning, at its n-th change to the disk, before that
// takes effect. KILL_AT_STEP is n; without it every step is only counted, and the count written to COUNT_STEPS_IN.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { KILL_AT_STEP, COUNT_STEPS_IN } = process.env;
const steps = [];

function step(name) {
  if (KILL_AT_STEP !== undefined && steps.length === Number(KILL_AT_STEP))
    process.kill(process.pid, 'SIGKILL');
  steps.push(name);
}

function wrap(object, name, changes = () => true) {
  const original = object[name];
  object[name] = function (...args) {
    if (changes(...args)) step(name);
    return original.apply(this, args);
  };
}

const isWriting = (_path, flags = 'r') => (typeof flags === 'number' ? (flags & 3) !== 0 : flags !== 'r');
for (const object of [fs, fs.promises]) {
  for (const name of [
    'mkdir',
    'rename',
    'unlink',
    'rmdir',
    'rm',
    'writeFile',
    'chmod',
    'chown',
    'link',
    'symlink',
  ])
    wrap(object, name);
  wrap(object, 'open', isWriting);
}
// What a process wrote stays written when it is killed: to be flushed makes no difference here.
for (const name of ['write', 'fchmod', 'fchown']) wrap(fs, name);
const handle = await fs.promises.open(new URL(import.meta.url), 'r');
const prototype = Object.getPrototypeOf(handle);
await handle.close();
for (const name of ['write', 'writeFile', 'chmod', 'chown']) wrap(prototype, name);
syncBuiltinESMExports();

const writeSync = fs.writeFileSync;
if (COUNT_STEPS_IN) process.on('exit', () => writeSync(COUNT_STEPS_IN, JSON.stringify(steps)));
