import { describe, expect, test } from 'vitest';
import { replay } from '../support/replay.ts';
import { hasRecorded, recorded, SAFETY } from './recorded.ts';

describe.skipIf(!hasRecorded())('155 real changes of a published list, 2021 to 2026', () => {
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
