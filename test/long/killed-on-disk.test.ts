import { test } from 'vitest';
import { walkDisk } from '../cli/disk.ts';

test(
  'a sync of a file, killed at any step on the disk, ends in sync when it is run again',
  () => walkDisk({ every: 1 }),
  300_000,
);
