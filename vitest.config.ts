import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/clients/**', 'test/moto/**', 'test/long/**'],
    testTimeout: 30_000,
  },
});
