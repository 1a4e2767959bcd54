import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** The packages that load with a file: its imports, and theirs, but for types and `import()`. */
function packagesOf(file: URL, seen = new Set<string>()): Set<string> {
  if (seen.has(file.href)) return new Set();
  seen.add(file.href);
  const statements = readFileSync(file, 'utf8').matchAll(/^import (?!type )(?:[^;'"]*? from )?'([^']+)'/gm);
  return new Set(
    [...statements].flatMap(([, to = '']) =>
      to.startsWith('.') ? [...packagesOf(new URL(to, file), seen)] : [to],
    ),
  );
}

const HEAVY = /^(?:undici|parse5|mdast|micromark)/;
const packages = (name: string) => [...packagesOf(new URL(`../../src/sources/${name}`, import.meta.url))];

test('reading a source loads the HTTP client and the parser only when they are used', () => {
  expect(packages('read.ts').filter((name) => HEAVY.test(name))).toEqual([]);
  expect(packages('schema.ts')).toEqual(['zod', 'node:net']);
  expect(packages('html.ts').filter((name) => HEAVY.test(name))).toEqual(['parse5']);
});
