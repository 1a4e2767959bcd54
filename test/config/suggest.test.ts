import { expect, test } from 'vitest';
import { z } from 'zod';
import { formatPath } from '../../src/config/problems.ts';
import { choices, closest, knownKeys } from '../../src/config/suggest.ts';

test('a slip of a letter or two, letters in the wrong order, another case and a beginning are recognised', () => {
  const keys = ['ports', 'protocol', 'webhookUrl', 'tcp'];
  const meant = ['portz', 'PORTS', 'protocl', 'webhookurl', 'webhook', 'tpc'].map((word) =>
    closest(word, keys),
  );
  expect(meant).toEqual(['ports', 'ports', 'protocol', 'webhookUrl', 'webhookUrl', 'tcp']);
});

test('what is like nothing known is answered with what there is', () => {
  expect(closest('zone', ['mode', 'path', 'name'])).toBeUndefined();
  expect(choices(['ports', 'protocol'])).toBe('; known here: ports, protocol');
  expect(choices([])).toBe('');
});

test('known keys are found through lists, options and the alternative that the value means', () => {
  const schema = z.strictObject({
    list: z.array(
      z.discriminatedUnion('type', [
        z.strictObject({ type: z.literal('a'), apple: z.string() }),
        z.strictObject({ type: z.literal('b'), berry: z.strictObject({ red: z.boolean() }).optional() }),
      ]),
    ),
  });
  const value = { list: [{ type: 'a' }, { type: 'b' }, { type: 'c' }] };
  expect(knownKeys(schema, value, [])).toEqual(['list']);
  expect(knownKeys(schema, value, ['list', 0])).toEqual(['type', 'apple']);
  expect(knownKeys(schema, value, ['list', 1, 'berry'])).toEqual(['red']);
  expect(knownKeys(schema, value, ['list', 2])).toEqual(['type', 'apple', 'berry']);
});

test('a path reads as in JavaScript, with quotes around keys that need them', () => {
  expect(formatPath(['targets', 0, 'allow', 1, 'ports'])).toBe('targets[0].allow[1].ports');
  expect(formatPath(['guards', 'blast-radius'])).toBe('guards.blast-radius');
  expect(formatPath(['headers', 'a b\u001b'])).toBe('headers["a b\\u001b"]');
});
