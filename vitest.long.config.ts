import { defineConfig } from 'vitest/config';

/** What takes minutes: `npm run test:long`. One worker for each of the two cores that it is bounded for. */
export default defineConfig({
  test: {
    include: ['test/long/**/*.test.ts', 'test/fuzz/**/*.test.ts'],
    env: { FUZZ: 'full' },
    testTimeout: 600_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
