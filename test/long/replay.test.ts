import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type ListChange, replay } from '../support/replay.ts';

const RECORDED = new URL('../../../shared/replay/published-list-changes.jsonl', import.meta.url);
const has = existsSync(RECORDED);
if (!has)
  console.warn(
    'Skipped: the recorded list changes are not on this machine, only made-up ones are lived through.',
  );

const lineSchema = z.object({
  date: z.iso.date(),
  size: z.int(),
  added: z.array(z.string()),
  removed: z.array(z.string()),
});

/** The recorded changes, those of one day three hours apart. */
function recorded(): ListChange[] {
  const lines = readFileSync(RECORDED, 'utf8').trim().split('\n');
  let last = 0;
  return lines.map((line) => {
    const { date, added, removed } = lineSchema.parse(JSON.parse(line));
    last = Math.max(Date.parse(date), last + 3 * 3_600_000);
    return { at: last, added, removed };
  });
}

/** The guards stay armed, as tightly as this history allows. */
const SAFETY = {
  maxEntries: 2000,
  minPrefixLength: { ipv4: 17 },
  maxGrowth: { count: 20, percent: 5 },
  maxShrink: { count: 300, percent: 30 },
  provenance: { mode: 'off' },
};

describe.skipIf(!has)('155 real changes of a published list, 2021 to 2026', () => {
  test('on a GCP rule and in a file, all of the list: nobody is harmed, every pass ends well', async () => {
    const { changes, passes, looks } = await replay(recorded(), {
      clouds: ['gcp'],
      safety: SAFETY,
      daily: 2,
    });
    console.log(`replay: GCP and file, ${changes} changes, ${passes} passes, ${looks} requests checked`);
    expect(changes).toBe(155);
  });

  test('in a security group, a rule and a file, a third of the list, every day: nobody is harmed', async () => {
    const all = recorded();
    // A security group holds a thousand rules at most, old and new together.
    const ever = [...new Set(all.flatMap(({ added }) => added))];
    const slice = new Set(ever.filter((_, index) => index % 3 === 0));
    const part = all.map(({ at, added, removed }) => ({
      at,
      added: added.filter((cidr) => slice.has(cidr)),
      removed: removed.filter((cidr) => slice.has(cidr)),
    }));
    const { changes, passes, looks } = await replay(part, {
      clouds: ['aws', 'gcp'],
      safety: { ...SAFETY, maxShrink: { count: 110, percent: 30 } },
      daily: Number.POSITIVE_INFINITY,
    });
    console.log(
      `replay: AWS, GCP and file, ${slice.size} addresses, ${changes} changes, ${passes} passes, ${looks} requests checked`,
    );
    expect(changes).toBe(155);
  });
});
