import { defineConfig } from 'vitest/config';

/** What takes minutes: `npm run test:long`. One worker for each of the two cores that this is bounded for. */
export default defineConfig({
  test: { include: ['test/long/**/*.test.ts'], testTimeout: 600_000, hookTimeout: 60_000, maxWorkers: 2 },
});
