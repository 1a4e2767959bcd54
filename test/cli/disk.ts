import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { z } from 'zod';
import { cli, FILE_TARGET, type Workplace, workplace } from '../support/cli.ts';
import { addresses } from '../support/pass.ts';
import { reportOf } from './documents.ts';

export const OLD = addresses(3);
/** One address less and one more than {@link OLD}. */
export const NEW = addresses(3, 2);

/** Nothing is locked, and state and journal can be read. */
export function expectTidy(place: Workplace): void {
  expect(existsSync(place.path('state/lock'))).toBe(false);
  expect(JSON.parse(place.read('state/state.json'))).toMatchObject({ accepted: { cidrs: NEW }, held: [] });
  const journal = place.read('state/journal.jsonl').split('\n').slice(0, -1);
  const last: unknown = JSON.parse(journal.at(-1) ?? '');
  expect(last).toMatchObject({ type: 'run', exitCode: 0 });
}

function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'allowlist-saved-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const HOOK = fileURLToPath(new URL('kill-at-step.js', import.meta.url));

/**
 * Kills one sync of a file target at each `every`-th of its steps on the disk, and lets the next run end in
 * {@link NEW}. Who reads the file in between finds the old list or the new one, never a half.
 */
export async function walkDisk({ every }: { every: number }): Promise<void> {
  const place = workplace({ targets: [FILE_TARGET] });
  place.write('allowed.txt', '# by hand\n198.51.100.7\n');
  place.write('list.txt', OLD.join('\n'));
  expect((await place.run('sync')).code).toBe(0);
  place.write('list.txt', NEW.join('\n'));
  const before = place.read('allowed.txt');
  const saved = temporaryFolder();
  cpSync(place.dir, saved, { recursive: true });
  const restore = () => {
    rmSync(place.dir, { recursive: true });
    cpSync(saved, place.dir, { recursive: true });
  };
  const spoilt = (env: Record<string, string>) =>
    cli(['sync'], { cwd: place.dir, node: ['--import', HOOK], env });

  expect((await spoilt({ COUNT_STEPS_IN: place.path('steps') })).code).toBe(0);
  const whole = place.read('allowed.txt');
  const steps = z.array(z.string()).parse(JSON.parse(place.read('steps')));
  expect(steps).toEqual(expect.arrayContaining(['mkdir', 'rename', 'unlink', 'write', 'rmdir']));

  for (const [step, name] of steps.entries()) {
    if (step % every !== 0) continue;
    restore();
    expect((await spoilt({ KILL_AT_STEP: String(step) })).signal, `step ${step}`).toBe('SIGKILL');
    expect([before, whole], `killed before ${name} (${step})`).toContain(place.read('allowed.txt'));
    const report = reportOf(await place.json('sync'));
    expect(report.exitCode, `killed before ${name} (${step})`).toBe(0);
    expect(place.read('allowed.txt')).toBe(whole);
    expectTidy(place);
  }
}
