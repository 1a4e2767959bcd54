/** The documentation says what the code does: tables, keys, codes, links and names are compared with it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PROVIDER_NAMES } from '../providers/index.ts';
import { toCidr } from '../src/cidr.ts';
import { ERROR_CODES } from '../src/errors.ts';
import { judgeList, type ListFacts } from '../src/guards/list.ts';
import { GUARD_NAMES, LIST_GUARDS, PLAN_GUARDS } from '../src/guards/names.ts';
import { buildSchemas } from '../src/schemas.ts';
import { recordSchema } from '../src/state/records.ts';
import { load } from './config/support.ts';
import {
  anchorsOf,
  codeOf,
  generatedParts,
  linksOf,
  type Page,
  ROOT,
  readPages,
  regenerate,
  spansOf,
  tablesOf,
} from './docs/markdown.ts';
import { makeReference } from './docs/reference.ts';

const pages = readPages();
const reference = await makeReference();

function page(name: string): Page {
  const found = pages.find((one) => one.name === name);
  if (!found) throw new Error(`there is no ${name}`);
  return found;
}

describe('what is made from the code', () => {
  test.each(pages.filter((one) => generatedParts(one).length > 0))(
    '$name is up to date; `npx vitest run test/docs.test.ts -u` makes it so',
    async (one) => {
      const made = regenerate(one, (name) => {
        const part = reference.get(name);
        if (part === undefined) throw new Error(`${one.name} asks for «${name}», which nothing makes`);
        return part;
      });
      await expect(made).toMatchFileSnapshot(join(ROOT, one.name));
    },
  );

  test('every part has its place, once', () => {
    expect(pages.flatMap(generatedParts).sort()).toEqual([...reference.keys()].sort());
  });
});

describe('tables', () => {
  test('docs/errors.md has every code once, the ones that pass apart from those that do not', () => {
    const [fatal = '', transient = ''] = page('docs/errors.md').text.split('\n## The next run');
    const codes = (text: string) => tablesOf(text, 'code').map(([code]) => codeOf(code));
    expect([...codes(fatal), ...codes(transient)]).toEqual(ERROR_CODES);
    const source = readFileSync(join(ROOT, 'src/errors.ts'), 'utf8');
    const [, passing = ''] = /^const TRANSIENT = \{\n(.*?)^\}/ms.exec(source) ?? [];
    expect(codes(transient)).toEqual([...passing.matchAll(/^ {2}'?([a-z-]+)'?:/gm)].map(([, code]) => code));
  });

  test('the README has every guard, and says of each whether it refuses or holds', () => {
    const rows = tablesOf(page('README.md').text, 'guard');
    expect(rows.map(([guard]) => codeOf(guard))).toEqual(GUARD_NAMES);
    const told = Object.fromEntries(rows.map(([guard, , effect = '']) => [codeOf(guard), effect]));
    expect(told).toEqual({ ...Object.fromEntries(PLAN_GUARDS.map((name) => [name, 'hold'])), ...effects() });
  });

  test('docs/guards.md has every guard of lists and of plans, with its effect and a test of its name', () => {
    const [list = '', plan = ''] = page('docs/guards.md').text.split('\n## Plan guards');
    const names = (text: string) => tablesOf(text, 'guard').map(([guard]) => codeOf(guard));
    expect(names(list)).toEqual(LIST_GUARDS);
    expect(names(plan)).toEqual(PLAN_GUARDS);
    const told = tablesOf(list, 'guard').map(([guard, , effect]) => [codeOf(guard), effect]);
    expect(Object.fromEntries(told)).toEqual(effects());
    const tests = readFileSync(join(ROOT, 'test/docs/guards.test.ts'), 'utf8');
    const shown = [...tests.matchAll(/^test\('([a-z-]+): |^\]\)\('([a-z-]+): /gm)].map(([, a, b]) => a ?? b);
    expect([...new Set(shown)].sort()).toEqual([...GUARD_NAMES].sort());
  });

  test('the limits that the README names are the defaults', async () => {
    const { safety } = await load({ owner: 'acme', targets: [{ name: 'a', provider: 'file', path: 'b' }] });
    const said = Object.fromEntries(
      tablesOf(page('README.md').text, 'guard').map(([guard, what = '']) => [codeOf(guard), what]),
    );
    expect(said['min-entries']).toContain(`shorter than ${safety.minEntries}`);
    expect(said['max-entries']).toContain(`longer than ${safety.maxEntries}`);
    const { ipv4, ipv6 } = safety.minPrefixLength;
    expect(said['prefix-length']).toContain(`/${ipv4} (IPv4) or /${ipv6} (IPv6)`);
    expect(said.growth).toContain(`${safety.maxGrowth.count} or ${safety.maxGrowth.percent} %`);
    expect(said.shrink).toContain(`${safety.maxShrink.count} or ${safety.maxShrink.percent} %`);
    expect(said.provenance).toContain(safety.provenance.scopes.join(', '));
  });

  test('docs/state.md has every kind of journal record', () => {
    const types = recordSchema.options.map((one) => one.shape.type.value);
    const told = tablesOf(page('docs/state.md').text, 'type').map(([type]) => codeOf(type));
    expect(told.sort()).toEqual([...types].sort());
  });

  test('docs/drift.md has every status of a target', async () => {
    const report = JSON.parse((await buildSchemas()).get('report.schema.json') ?? '{}');
    const told = tablesOf(page('docs/drift.md').text, 'status').map(([status]) => codeOf(status));
    expect(told.sort()).toEqual([...report.properties.targets.items.properties.status.enum].sort());
  });

  test('docs/providers.md has a section for every provider', () => {
    const headings = [...page('docs/providers.md').text.matchAll(/^## `([^`]+)`$/gm)].map(([, name]) => name);
    expect(headings).toEqual(PROVIDER_NAMES);
  });
});

describe('names', () => {
  test('links lead to files and headings that are there', () => {
    const broken = pages.flatMap((one) =>
      linksOf(one).flatMap(({ path, heading }) => {
        if (!existsSync(join(ROOT, path))) return [`${one.name}: ${path}`];
        const target = pages.find(({ name }) => name === path);
        const isThere = heading === null || (target && anchorsOf(target.text).includes(heading));
        return isThere ? [] : [`${one.name}: ${path}#${heading}`];
      }),
    );
    expect(broken).toEqual([]);
  });

  test('files that are named are there', () => {
    const named = pages.flatMap((one) => [
      ...spansOf(one).filter((span) =>
        /^(src|providers|test|docs|schema|scripts|bench)\/[\w./-]*$/.test(span),
      ),
      ...[...one.text.matchAll(/\bdocs\/[\w-]+\.md\b/g)].map(([path]) => path),
    ]);
    expect(named.length).toBeGreaterThan(20);
    expect([...new Set(named)].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test('the reading order has every file and folder of the source', () => {
    const order = page('README.md').text.split('## Reading the source')[1] ?? '';
    const entries = ['src', 'providers'].flatMap((folder) =>
      readdirSync(join(ROOT, folder), { withFileTypes: true }).map(
        (entry) => `${folder}/${entry.name}${entry.isDirectory() ? '/' : ''}`,
      ),
    );
    expect(entries.filter((path) => !order.includes(`\`${path}\``))).toEqual([]);
  });

  test('keys of the config that prose names are keys of the config', () => {
    const keys = new Set(
      [...reference.values()].flatMap((part) =>
        [...part.matchAll(/^\| `([^`]+)` \|/gm)].flatMap(([, key = '']) => [key, ...parentsOf(key)]),
      ),
    );
    const last = new Set([...keys].flatMap((key) => key.split('.').at(-1) ?? []));
    const wrong = pages.flatMap((one) =>
      spansOf(one).flatMap((span) => {
        const dotted = /^((?:safety|schedule|provenance)\.[\w.]+)$/.exec(span)?.[1];
        if (dotted) return keys.has(dotted) || keys.has(`safety.${dotted}`) || last.has(dotted) ? [] : [span];
        const quoted = /^"([\w$]+)": /.exec(span)?.[1];
        return quoted === undefined || last.has(quoted) || quoted === 'type' ? [] : [span];
      }),
    );
    // The tables of `safety` and `schedule` name what is in them without the first part.
    expect(wrong.filter((span) => !keys.has(span.replace(/^(safety|schedule)\./, '')))).toEqual([]);
  });

  test('no page names a place of one machine or one network', () => {
    const found = pages.flatMap(({ name, text }) =>
      [...text.matchAll(/(\/(?:work|tmp|home|root|Users)\/\S*|registry\.\S+|\S*npmjs\S*)/g)].map(
        ([, what]) => `${name}: ${what}`,
      ),
    );
    expect(found).toEqual([]);
  });
});

/** What each list guard does, found out by lists that it does not like. */
function effects(): Record<string, string> {
  const limits = {
    minEntries: 1,
    maxEntries: 2,
    minPrefixLength: { ipv4: 24, ipv6: 48 },
    maxGrowth: { count: 0, percent: null },
    maxShrink: { count: 0, percent: null },
    provenance: {
      mode: 'require' as const,
      url: '',
      scopes: ['us-west1'],
      sources: [],
      maxAge: 0,
      whenUnavailable: 'warn' as const,
      maxVouched: 0,
    },
  };
  const known = [toCidr('34.19.100.1'), toCidr('34.19.100.2')];
  const bad = ['10.0.0.0/8', '52.0.0.1', '52.0.0.2'].map(toCidr);
  const facts: ListFacts = {
    candidate: [],
    baseline: known,
    largest: known,
    ranges: { kind: 'known', cidrs: [toCidr('34.0.0.0/8')], from: 'here' },
  };
  const findings = [facts, { ...facts, candidate: bad }].flatMap((one) => judgeList(one, limits));
  return Object.fromEntries(findings.map(({ guard, effect }) => [guard, effect]));
}

function parentsOf(key: string): string[] {
  const parts = key.split('.');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('.'));
}
