import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { loadProvider, PROVIDER_NAMES } from '../providers/index.ts';
import { ERROR_CODES } from '../src/errors.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Who may import whom: a file imports files of its own rank or below. The first line that fits a path counts; what
 * is not named is a part.
 */
const RANKS: readonly (readonly [pattern: RegExp, rank: keyof typeof ORDER])[] = [
  [/^src\/(cli|program|failure|schemas)\.ts$/, 'cli'],
  [/^src\/(commands|demo)\//, 'commands'],
  [/^src\/index\.ts$/, 'commands'],
  [/^src\/daemon\/cron\.ts$/, 'nouns'],
  [/^src\/daemon\//, 'daemon'],
  [/^src\/run\.ts$/, 'run'],
  [/^src\/(cidr|errors|clock|duration|text|version|entries|retry)\.ts$/, 'nouns'],
  [/^providers\/provider\.ts$/, 'nouns'],
];
const ORDER = { cli: 6, commands: 5, daemon: 4, run: 3, parts: 2, nouns: 1 } as const;

/** The vendors' packages, by the only folder that may load them. */
const SDKS: Readonly<Record<string, RegExp>> = {
  'providers/aws/': /^@(aws-sdk|smithy)\//,
  'providers/gcp/': /^(@google-cloud\/|google-auth-library|google-gax)/,
};
/** Beside its own folder and its SDK, what an adapter may import. */
const ADAPTER_MAY = /^(node:.*|zod|providers\/provider\.ts|src\/(cidr|errors)\.ts)$/;
/** What an adapter without a vendor's SDK needs instead; as lazy as one. */
const ADAPTER_TOOLS: Readonly<Record<string, readonly string[]>> = {
  'providers/aws/': ['https-proxy-agent', 'proxy-from-env'],
  'providers/file/': ['write-file-atomic'],
};

/** Tools that cost nothing to load. */
const LIGHT: ReadonlySet<string> = new Set(['proxy-from-env']);

const MOST_LINES = 300;

interface Import {
  readonly file: string;
  /** A path from the root for our own files, else the package or module. */
  readonly to: string;
  /** `value`: loaded with the file; `type`: gone after compiling; `lazy`: `import()`. */
  readonly kind: 'value' | 'type' | 'lazy';
}

const files = ['src', 'providers'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`)
    .sort(),
);
const sources = new Map(files.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));
const imports = [...sources].flatMap(([file, source]) => importsOf(file, source));

/** Reads the statements as the formatter leaves them. `import { type X }` loads the module all the same. */
function importsOf(file: string, source: string): Import[] {
  const found: Import[] = [];
  const add = (specifier: string, kind: Import['kind']) =>
    found.push({ file, kind, to: specifier.startsWith('.') ? join(dirname(file), specifier) : specifier });
  for (const [, type, specifier = ''] of source.matchAll(
    /^(?:import|export)\s+(type\s)?(?:[^;'"]*?\sfrom\s+)?'([^']+)'/gm,
  ))
    add(specifier, type ? 'type' : 'value');
  for (const [, specifier = ''] of source.matchAll(/\bimport\('([^']+)'\)/g)) add(specifier, 'lazy');
  return found;
}

function rankOf(file: string): keyof typeof ORDER {
  return RANKS.find(([pattern]) => pattern.test(file))?.[1] ?? 'parts';
}

function show({ file, to, kind }: Import): string {
  return `${file} -> ${to} (${kind})`;
}

/** Without comments and the contents of strings, so that only code is looked at. */
function codeOf(source: string): string {
  return source
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(["'`])(?:\\.|(?!\1)[^\\\n])*\1/g, "''")
    .replace(/\/\/.*$/gm, '');
}

test('this test sees the imports that it judges', () => {
  const example = [
    "import a, { type B } from './a.ts';",
    'import {\n  c,\n} from "x";'.replaceAll('"', "'"),
    "import type { D } from '@aws-sdk/client-ec2';",
    "export { e } from '../e.ts';",
    "import './f.ts';",
    "const g = await import('google-auth-library');",
  ].join('\n');
  expect(importsOf('src/x/y.ts', example).map(show)).toEqual([
    'src/x/y.ts -> src/x/a.ts (value)',
    'src/x/y.ts -> x (value)',
    'src/x/y.ts -> @aws-sdk/client-ec2 (type)',
    'src/x/y.ts -> src/e.ts (value)',
    'src/x/y.ts -> src/x/f.ts (value)',
    'src/x/y.ts -> google-auth-library (lazy)',
  ]);
  expect(files).toContain('src/cidr.ts');
  expect(imports.length).toBeGreaterThan(files.length);
});

test('imports point downward: cli, commands, daemon, run, parts, nouns', () => {
  const upward = imports.filter(({ file, to }) => sources.has(to) && ORDER[rankOf(to)] > ORDER[rankOf(file)]);
  expect(upward.map(show)).toEqual([]);
});

test('no two files need each other to load', () => {
  const next = new Map<string, string[]>();
  for (const { file, to, kind } of imports)
    if (kind === 'value' && sources.has(to)) next.set(file, [...(next.get(file) ?? []), to]);
  const done = new Set<string>();
  const cycles: string[] = [];
  const walk = (file: string, path: readonly string[]) => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
    if (done.has(file) || path.includes(file)) return;
    for (const to of next.get(file) ?? []) walk(to, [...path, file]);
    done.add(file);
  };
  for (const file of files) walk(file, []);
  expect(cycles).toEqual([]);
});

test('nothing but the demo imports the emulators, and they import nothing of the core but nouns', () => {
  const inside = (file: string) => file.startsWith('src/emulators/');
  const wrong = imports.filter(({ file, to }) => {
    if (inside(to)) return !inside(file) && !file.startsWith('src/demo/');
    return inside(file) && sources.has(to) && rankOf(to) !== 'nouns';
  });
  expect(wrong.map(show)).toEqual([]);
});

test('the core knows adapters by the contract and the registry alone', () => {
  const wrong = imports.filter(
    ({ file, to }) =>
      file.startsWith('src/') &&
      to.startsWith('providers/') &&
      to !== 'providers/provider.ts' &&
      to !== 'providers/index.ts',
  );
  expect(wrong.map(show)).toEqual([]);
});

test('an adapter imports the contract, CIDRs, errors, zod, its own folder and its SDK, and nothing else', () => {
  const wrong = imports.filter(({ file, to }) => {
    const [folder] = file.match(/^providers\/[^/]+\//) ?? [];
    if (!folder) return false;
    const own = to.startsWith(folder) || SDKS[folder]?.test(to) || ADAPTER_TOOLS[folder]?.includes(to);
    return !own && !ADAPTER_MAY.test(to);
  });
  expect(wrong.map(show)).toEqual([]);
});

test('a vendor SDK is loaded lazily, and only inside the folder of its provider', () => {
  const wrong = imports.filter(({ file, to, kind }) => {
    const [home] = Object.entries(SDKS).find(([, sdk]) => sdk.test(to)) ?? [];
    if (home) return !file.startsWith(home) || kind === 'value';
    return Object.entries(ADAPTER_TOOLS).some(
      ([folder, tools]) =>
        tools.includes(to) && file.startsWith(folder) && kind === 'value' && !LIGHT.has(to),
    );
  });
  expect(wrong.map(show)).toEqual([]);
});

test('registry and files agree: every adapter has a name, every name its adapter and its conformance test', async () => {
  const adapters = [...sources]
    .filter(([file, source]) => /^providers\/[^/]+\//.test(file) && /^export const provider\b/m.test(source))
    .map(([file]) => file);
  const registered = imports.filter(({ file, kind }) => file === 'providers/index.ts' && kind === 'lazy');
  expect(registered.map(({ to }) => to).sort()).toEqual(adapters.sort());
  for (const name of PROVIDER_NAMES) expect((await loadProvider(name, ROOT)).name).toBe(name);
  expect(PROVIDER_NAMES).toHaveLength(adapters.length);
  for (const folder of new Set(adapters.map((file) => dirname(file)))) {
    const tests = readdirSync(join(ROOT, 'test', folder)).filter((name) => name.endsWith('.test.ts'));
    const suites = tests.filter((name) =>
      /^\s*providerSuite\(/m.test(readFileSync(join(ROOT, 'test', folder, name), 'utf8')),
    );
    expect(suites, `tests of ${folder} that call providerSuite`).not.toEqual([]);
  }
});

test(`no file is longer than ${MOST_LINES} lines`, () => {
  const long = [...sources].filter(([, source]) => source.split('\n').length - 1 > MOST_LINES);
  expect(long.map(([file]) => file)).toEqual([]);
});

test('no type is switched off: no any, no non-null assertion, no ignored line', () => {
  const found = [...sources].flatMap(([file, source]) =>
    [
      ...(codeOf(source).match(/(?:[:<|&,]\s*|\bas\s+)any\b(?!\s*[:(.])|[\w)\]]!(?=[.,;)\][])/g) ?? []),
      ...(source.match(/@ts-(?:ignore|expect-error|nocheck)/g) ?? []),
    ].map((text) => `${file}: ${text}`),
  );
  expect(found).toEqual([]);
});

test('only the cli ends the process', () => {
  const found = [...sources].filter(([file, source]) => {
    return file !== 'src/cli.ts' && /\bprocess\s*\.\s*(exit\b|exitCode\s*=[^=]|abort\b)/.test(codeOf(source));
  });
  expect(found.map(([file]) => file)).toEqual([]);
});

test.skipIf(!existsSync(join(ROOT, 'docs/errors.md')))('docs/errors.md has every code, and no other', () => {
  const text = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');
  const told = [...text.matchAll(/^(?:\|\s*|#+\s*|[-*]\s*)`([a-z-]+)`/gm)].map(([, code]) => code);
  expect([...new Set(told)].sort()).toEqual([...ERROR_CODES].sort());
});

test.skipIf(!existsSync(join(ROOT, 'README.md')))('the README names every provider', () => {
  const text = readFileSync(join(ROOT, 'README.md'), 'utf8');
  expect(PROVIDER_NAMES.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});
