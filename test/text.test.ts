import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mapTexts, neutralise, redactor, truncate } from '../src/text.ts';

test('characters that move the cursor, hide or reorder are shown by their number', () => {
  expect(neutralise('a\u001b[31m\u009b\r\nb\u202e\u200b\ud800')).toBe(
    'a\\u{1b}[31m\\u{9b}\\u{d}\\u{a}b\\u{202e}\\u{200b}\\u{d800}',
  );
  expect(neutralise('a\n\tb', { keepLines: true })).toBe('a\n\\u{9}b');
  expect(neutralise('Zürich 東京 🔥')).toBe('Zürich 東京 🔥');
});

test('whatever comes in, nothing unsafe goes out', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(neutralise(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
    }),
  );
});

test('a cut leaves no half character', () => {
  expect(truncate('abc', 3)).toBe('abc');
  expect(truncate('abcd', 3)).toBe('ab…');
  expect(truncate('a🔥🔥', 3)).toBe('a…');
});

test('a secret is blotted out as it is, URL-encoded, form-encoded and inside JSON', () => {
  const secret = 'p&ss w/"ö+d';
  const redact = redactor([secret, 'other-secret']);
  const shown = [
    secret,
    encodeURIComponent(secret),
    encodeURIComponent(secret).toLowerCase(),
    encodeURI(secret),
    String(new URLSearchParams({ q: secret })),
    JSON.stringify({ secret }),
    'x other-secret y',
  ].map(redact);
  expect(shown).toEqual(['***', '***', '***', '***', 'q=***', '{"secret":"***"}', 'x *** y']);
});

test('of a URL the path is a secret too, and so is its password', () => {
  const redact = redactor(['https://user:hunter22@Hooks.slack.com/services/T0/B0/key?q=1']);
  expect(redact('POST /services/T0/B0/key?q=1 with hunter22 failed')).toBe('POST *** with *** failed');
  expect(redact('https://user:hunter22@hooks.slack.com/services/T0/B0/key?q=1')).toBe('***');
  expect(redact('hooks.slack.com')).toBe('hooks.slack.com');
});

test('the longer of two secrets that overlap leaves nothing of itself', () => {
  expect(redactor(['secret', 'secret-and-more'])('a secret-and-more b secret')).toBe('a *** b ***');
});

test('values too short to guard anything are left, and without secrets nothing changes', () => {
  expect(redactor(['', 'abc'])('abc')).toBe('abc');
  expect(redactor([])('abc')).toBe('abc');
});

test('no text holds a secret after redaction, wherever it stood', () => {
  const secret = fc
    .string({ unit: 'binary', minLength: 4, maxLength: 20 })
    .filter((text) => !'***'.includes(text));
  fc.assert(
    fc.property(
      secret,
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary' }),
      (value, before, after) => {
        const shown = redactor([value])(`${before}${value}${after}`);
        // What the mark itself makes together with its neighbours is no leak.
        expect(shown.split('***').some((part) => part.includes(value))).toBe(false);
      },
    ),
  );
});

test('every text inside a value is changed, its keys only when they are asked for, and nothing else', () => {
  const value = { secret: ['a secret', { b: 'secret' }], n: 1, t: true, none: null };
  const blot = redactor(['secret']);
  expect(mapTexts(value, blot)).toEqual({ ...value, secret: ['a ***', { b: '***' }] });
  expect(mapTexts(value, blot, { keys: true })).toEqual({
    '***': ['a ***', { b: '***' }],
    n: 1,
    t: true,
    none: null,
  });
});
