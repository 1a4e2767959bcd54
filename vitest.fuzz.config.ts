import { defineConfig } from 'vitest/config';

/** Every parser fed a million inputs in all: `npm run fuzz`. */
export default defineConfig({
  test: { include: ['test/fuzz/**/*.test.ts'], env: { FUZZ: 'full' }, maxWorkers: 2 },
});
