import { expect, test } from 'vitest';
import { parseDocument } from '../../src/sources/parse.ts';
import { HOSTILE, LIST } from './hostile.ts';

test('the hostile corpus has at least sixty documents, each with a name of its own', () => {
  expect(HOSTILE.length).toBeGreaterThanOrEqual(60);
  expect(new Set(HOSTILE.map(({ format, name }) => `${format} ${name}`)).size).toBe(HOSTILE.length);
});

test.each(HOSTILE)(
  '$format, $name: the right list or a refusal',
  async ({ format, document, expect: expected }) => {
    const result = await parseDocument(document, { format });
    if (!result.ok) {
      expect(result.status, `looked for ${result.looked}, found ${result.found}`).toBe(expected);
      expect(`${result.looked} ${result.found}`).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      expect(result.found.length).toBeLessThan(400);
      return;
    }
    expect(result.entries.map(({ text }) => text)).toEqual(expected === 'list' ? LIST : expected);
  },
);
