import { expect, test } from 'vitest';
import { z } from 'zod';
import { shownUrl } from '../../src/sources/address.ts';
import { STREAMLIT_DOCS_URL, STREAMLIT_GITHUB_URL, sourceSchema } from '../../src/sources/schema.ts';

const problem = (source: unknown) => sourceSchema.safeParse(source).error?.issues[0]?.message;

test('the presets know where the page is', () => {
  expect(sourceSchema.parse({ type: 'streamlit-docs' })).toEqual({
    type: 'streamlit-docs',
    url: STREAMLIT_DOCS_URL,
  });
  expect(sourceSchema.parse({ type: 'streamlit-github' })).toMatchObject({ url: STREAMLIT_GITHUB_URL });
});

test.each([
  'http://127.0.0.1:8080/x',
  'http://[::1]/x',
  'http://localhost:3000/x',
  'http://127.9.9.9/',
  'https://example.org/x?token=1',
])('%s may be a source', (url) => {
  expect(problem({ type: 'url', url, format: 'text' })).toBeUndefined();
});

test.each([
  ['http://example.org/', 'plain http is accepted for loopback only'],
  ['http://10.0.0.1/', 'plain http is accepted for loopback only'],
  ['http://127.0.0.1.example.org/', 'plain http is accepted for loopback only'],
  ['ftp://example.org/', 'must start with https://'],
  ['file:///etc/passwd', 'must start with https://'],
  ['https://user:secret@example.org/', 'must not hold a user name or a password'],
  ['example.org', 'must be a whole URL'],
])('%s is refused, since it %s', (url, reason) => {
  expect(problem({ type: 'url', url, format: 'text' })).toContain(reason);
});

test('keys that another format needs, and keys that nobody knows, are errors', () => {
  expect(problem({ type: 'file', path: 'x', format: 'html', pointer: '/a' })).toContain(
    'for the format json only',
  );
  expect(problem({ type: 'file', path: 'x', format: 'text', heading: 'IP' })).toContain(
    'formats html and markdown',
  );
  expect(problem({ type: 'file', path: 'x', format: 'json', pointer: 'a' })).toContain('JSON pointer');
  expect(problem({ type: 'file', path: 'x', format: 'text', colour: 'red' })).toContain('colour');
  expect(problem({ type: 'streamlit-docs', format: 'html' })).toContain('format');
});

test('every key of the schema says what it is', () => {
  const schema = z.toJSONSchema(sourceSchema, { io: 'input' });
  const variants = schema.oneOf ?? schema.anyOf ?? [];
  expect(variants).toHaveLength(4);
  for (const variant of variants)
    for (const [key, value] of Object.entries(variant.properties ?? {}))
      expect(typeof value === 'object' && value.description, key).toBeTruthy();
});

test('a URL is shown without what may be secret in it', () => {
  expect(shownUrl('https://example.org/a?token=s3cret#x')).toBe('https://example.org/a?…');
  expect(shownUrl('https://me:s3cret@example.org/a')).toBe('https://example.org/a');
});
