import fc from 'fast-check';
import { expect, test } from 'vitest';
import { interpolate } from '../../src/config/interpolate.ts';

const problemsOf = (value: unknown, env: Record<string, string | undefined> = {}) =>
  interpolate(value, env).problems.map(({ path, problem }) => `${path.join('.')}: ${problem}`);

test('variables are put into every string value, wherever it lies', () => {
  const value = { a: '${ONE}', list: [{ b: 'x-${ONE}-${TWO_2}-y' }, 5, true, null] };
  expect(interpolate(value, { ONE: 'uno', TWO_2: 'dos' }).value).toEqual({
    a: 'uno',
    list: [{ b: 'x-uno-dos-y' }, 5, true, null],
  });
});

test('keys are left alone, one that looks like a reference and one named __proto__ included', () => {
  const value: unknown = JSON.parse('{"${ONE}": "${ONE}", "__proto__": {"x": "${ONE}"}}');
  const { value: result } = interpolate(value, { ONE: 'uno' });
  expect(JSON.stringify(result)).toBe('{"${ONE}":"uno","__proto__":{"x":"uno"}}');
});

test('a doubled dollar before a brace is a literal one, and a dollar alone means nothing', () => {
  const { value, problems } = interpolate(['$${ONE}', '$ONE', '$', 'a$$b', '$$${ONE}'], {});
  expect(value).toEqual(['${ONE}', '$ONE', '$', 'a$$b', '$${ONE}']);
  expect(problems).toEqual([]);
});

test('a value from the environment is not looked into again', () => {
  expect(interpolate('${ONE}', { ONE: '${TWO}$${', TWO: 'dos' }).value).toBe('${TWO}$${');
});

test('a variable that is unset or empty is a problem at its place, all of them at once', () => {
  expect(problemsOf({ a: ['${ONE}', '${TWO}'], b: '${ONE}' }, { TWO: '' })).toEqual([
    'a.0: the environment variable ONE is not set',
    'a.1: the environment variable TWO is empty',
    'b: the environment variable ONE is not set',
  ]);
  expect(problemsOf('${toString}')).toEqual([': the environment variable toString is not set']);
});

test('a reference that names no variable is a problem, and not silently text', () => {
  for (const text of ['${}', '${A', '${A B}', '${1A}', '${A:-b}', '${ä}'])
    expect(problemsOf(text, { A: 'a' }), text).toEqual([
      ': `${` must be followed by the name of a variable and a closing brace; a literal one is written `$${`',
    ]);
});

test('of the values that were put in, all of four characters or more are told, once each', () => {
  const value = ['${LONG}', '${LONG}', '${SHORT}'];
  const { values } = interpolate(value, { LONG: 'abcd', SHORT: 'abc', UNUSED: 'hidden' });
  expect(values).toEqual(['abcd']);
});

test('a value is a secret by the place it was put in, or by the name of its variable', () => {
  const value = {
    owner: '${OWNER}',
    sources: [{ url: 'https://example.org/${QUERY}' }],
    targets: [{ region: '${AWS_REGION}', assumeRole: { externalId: '${EXTERNAL}' }, rule: '${DB_PASSWORD}' }],
    alerts: [{ type: '${TYPE}', name: '${CHANNEL}', headers: { 'X-Any': '${HEADER}' }, url: '${HOOK}' }],
  };
  const env = {
    OWNER: 'the-owner',
    QUERY: 'the-query',
    AWS_REGION: 'the-region',
    EXTERNAL: 'the-external',
    DB_PASSWORD: 'the-password',
    TYPE: 'the-type',
    CHANNEL: 'the-channel',
    HEADER: 'the-header',
    HOOK: 'the-hook',
  };
  expect(interpolate(value, env).secrets).toEqual([
    'the-query',
    'the-external',
    'the-password',
    'the-header',
    'the-hook',
  ]);
});

test('text without references comes out as it went in, and any text does when its dollars are escaped', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      if (JSON.stringify(value).includes('${')) return;
      expect(interpolate(value, {}).value).toEqual(value);
    }),
  );
  const dollars = fc.string({ unit: fc.constantFrom('$', '{', '}', 'a', 'B') });
  fc.assert(
    fc.property(dollars, (text) => {
      const { value, problems } = interpolate(text.split('${').join('$${'), {});
      expect({ value, problems }).toEqual({ value: text, problems: [] });
    }),
  );
});
