import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import type { ListChange } from '../support/replay.ts';

const RECORDED = new URL('../../../shared/replay/published-list-changes.jsonl', import.meta.url);

/** Whether the recorded changes are on this machine; says so where they are not. */
export function hasRecorded(): boolean {
  const has = existsSync(RECORDED);
  if (!has)
    console.warn(
      'Skipped: the recorded list changes are not on this machine, only made-up ones are lived through.',
    );
  return has;
}

const lineSchema = z.object({
  date: z.iso.date(),
  size: z.int(),
  added: z.array(z.string()),
  removed: z.array(z.string()),
});

/** The recorded changes, those of one day three hours apart. */
export function recorded(): ListChange[] {
  const lines = readFileSync(RECORDED, 'utf8').trim().split('\n');
  let last = 0;
  return lines.map((line) => {
    const { date, added, removed } = lineSchema.parse(JSON.parse(line));
    last = Math.max(Date.parse(date), last + 3 * 3_600_000);
    return { at: last, added, removed };
  });
}

/** The guards stay armed, as tightly as this history allows. */
export const SAFETY = {
  maxEntries: 2000,
  minPrefixLength: { ipv4: 17 },
  maxGrowth: { count: 20, percent: 5 },
  maxShrink: { count: 300, percent: 30 },
  provenance: { mode: 'off' },
};
