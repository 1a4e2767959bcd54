import { defineConfig } from 'vitest/config';

/** The vendors' own command-line clients against the emulators: `npm run test:clients`. */
export default defineConfig({
  test: { include: ['test/clients/**/*.test.ts'], testTimeout: 60_000 },
});
