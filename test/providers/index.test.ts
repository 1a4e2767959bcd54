import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadProvider, PROVIDER_NAMES } from '../../providers/index.ts';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'allowlist-provider-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

const OWN = `export const provider = {
  name: 'mine', options: { safeParse() {} }, atomic: true, adopts: null, describe() {}, async open() {},
};`;

test('every built-in name loads the adapter of that name', async () => {
  expect(PROVIDER_NAMES).toEqual(['aws-security-group', 'gcp-firewall', 'file']);
  for (const name of PROVIDER_NAMES) expect((await loadProvider(name, '.')).name).toBe(name);
});

test('an unknown name is refused with what was probably meant and all names', async () => {
  await expect(loadProvider('aws-securty-group', '.')).rejects.toMatchObject({
    code: 'config-invalid',
    message: expect.stringMatching(
      /did you mean aws-security-group\? \(aws-security-group, gcp-firewall, file\)/,
    ),
  });
  for (const name of ['cloudflare', 'constructor', 'toString', ''])
    await expect(loadProvider(name, '.')).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.not.stringContaining('did you mean'),
    });
});

test('a path is a module of your own, from the folder of the config', async () => {
  const base = await folder();
  await writeFile(join(base, 'mine.mjs'), OWN);
  expect((await loadProvider('./mine.mjs', base)).name).toBe('mine');
  expect((await loadProvider(join(base, 'mine.mjs'), '/')).name).toBe('mine');
});

test('npm: is a package that is installed beside the config', async () => {
  const base = await folder();
  const home = join(base, 'node_modules', '@acme', 'firewall');
  await mkdir(home, { recursive: true });
  await writeFile(join(home, 'package.json'), '{"type":"module","exports":"./index.js"}');
  await writeFile(join(home, 'index.js'), OWN);
  expect((await loadProvider('npm:@acme/firewall', base)).name).toBe('mine');
  await expect(loadProvider('npm:not-installed', base)).rejects.toMatchObject({
    code: 'config-invalid',
    message: expect.stringContaining('npm:not-installed'),
  });
});

test('a module that is missing, fails, or exports something else is refused in one line', async () => {
  const base = await folder();
  await writeFile(join(base, 'fails.mjs'), "throw new Error('first\\nsecond');");
  await writeFile(join(base, 'other.mjs'), 'export const provider = { name: "half" };');
  for (const name of ['./fails.mjs', './other.mjs', './missing.mjs'])
    await expect(loadProvider(name, base)).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringMatching(new RegExp(`^[^\\n]*\\${name}[^\\n]*$`)),
    });
});
