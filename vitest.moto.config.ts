import { defineConfig } from 'vitest/config';

/** The suites that need a real moto server: `npm run test:moto`. */
export default defineConfig({
  test: { include: ['test/moto/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
});
