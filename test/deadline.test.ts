import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { withDeadline } from '../src/deadline.ts';

/** A signal's end, or the end of the work without one. */
const ended = (signal: AbortSignal) =>
  new Promise<unknown>((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)));
const never = new AbortController().signal;

test('the deadline ends the work', async () => {
  expect(await withDeadline(never, 1, ended)).toMatchObject({ message: 'the deadline of the run passed' });
});

test('whoever ends the run ends the work, with their reason, also when that was before', async () => {
  const outer = new AbortController();
  const work = withDeadline(outer.signal, 60_000, ended);
  outer.abort('told to stop');
  expect(await work).toBe('told to stop');
  expect(await withDeadline(outer.signal, 60_000, async ({ reason }) => reason)).toBe('told to stop');
});

test('what the work gives or throws is passed on, and no timer is left behind', async () => {
  expect(await withDeadline(never, 2 ** 31 - 1, async () => 7)).toBe(7);
  await expect(withDeadline(never, 2 ** 31 - 1, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
});

test('a signal that nobody listens to at first ends all the same, whatever is collected as garbage meanwhile', async () => {
  const script = `
    const { withDeadline } = await import(${JSON.stringify(new URL('../dist/src/deadline.js', import.meta.url).href)});
    const outer = new AbortController().signal;
    await withDeadline(outer, 300, async (signal) => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 400));
      console.log(signal.aborted);
    });`;
  const args = ['--expose-gc', '--input-type=module', '-e', script];
  expect((await promisify(execFile)(process.execPath, args)).stdout).toBe('true\n');
});
