import { describe, expect, test } from 'vitest';
import { replay } from '../support/replay.ts';
import { hasRecorded, recorded, SAFETY } from './recorded.ts';

describe.skipIf(!hasRecorded())('155 real changes of a published list, 2021 to 2026', () => {
  test('on a GCP rule and in a file, all of the list: nobody is harmed, every pass ends well', async () => {
    const { changes, passes, looks } = await replay(recorded(), {
      clouds: ['gcp'],
      safety: SAFETY,
      daily: 2,
    });
    console.log(`replay: GCP and file, ${changes} changes, ${passes} passes, ${looks} requests checked`);
    expect(changes).toBe(155);
  });
});
