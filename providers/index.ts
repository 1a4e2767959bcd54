import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { distance } from 'fastest-levenshtein';
import { z } from 'zod';
import { FatalError, messageOf } from '../src/errors.ts';
import type { Provider } from './provider.ts';

/** The adapters that come with the tool. None of them loads its SDK before it is opened. */
const BUILT_IN: Readonly<Record<string, () => Promise<{ provider: Provider }>>> = {
  'aws-security-group': () => import('./aws/security-group.ts'),
  'gcp-firewall': () => import('./gcp/firewall.ts'),
  file: () => import('./file/file.ts'),
};

export const PROVIDER_NAMES: readonly string[] = Object.keys(BUILT_IN);

/**
 * The adapter that a target's `provider` names: one of {@link PROVIDER_NAMES}, or one of your own. That is the path
 * of a module, from `baseDir` (`./providers/my-firewall.js`), or `npm:` and a package that is installed where
 * `baseDir` is; the module exports it as `provider`. It runs with all the rights of this process.
 *
 * Throws `config-invalid`: no such name, no such module, a module that fails or exports something else.
 */
export async function loadProvider(name: string, baseDir: string): Promise<Provider> {
  const builtIn = Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : undefined;
  if (builtIn) return (await builtIn()).provider;
  const isPackage = name.startsWith('npm:');
  if (!isPackage && !/[./\\]/.test(name)) throw unknown(name);
  try {
    const file = isPackage ? packageFile(name.slice('npm:'.length), baseDir) : resolve(baseDir, name);
    // Node's own message names the resolved path, in which a secret from the environment is no longer told as one.
    if (!existsSync(file)) throw new Error('there is no such file');
    return providerOf(await import(pathToFileURL(file).href), name);
  } catch (cause) {
    if (cause instanceof FatalError) throw cause;
    const [why] = messageOf(cause).split('\n');
    throw new FatalError('config-invalid', `cannot load the provider ${name}: ${why}`, { cause });
  }
}

function packageFile(specifier: string, baseDir: string): string {
  return createRequire(join(resolve(baseDir), 'config.json')).resolve(specifier);
}

/** What makes a module's export an adapter, as far as it shows from outside. */
const providerShape = z.custom<Provider>((value) => {
  const shape = z.object({
    name: z.string().min(1),
    options: z.custom((options) => typeof memberOf(options, 'safeParse') === 'function'),
    atomic: z.boolean(),
    adopts: z.enum(['entry', 'object']).nullable(),
    describe: z.custom((describe) => typeof describe === 'function'),
    open: z.custom((open) => typeof open === 'function'),
  });
  return shape.safeParse(value).success;
});

function providerOf(module: unknown, name: string): Provider {
  const parsed = providerShape.safeParse(memberOf(module, 'provider'));
  if (parsed.success) return parsed.data;
  throw new FatalError('config-invalid', `the module ${name} does not export a provider`, {
    hint: 'Export one as `provider`; providers/provider.ts says what it must have.',
  });
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

function unknown(name: string): FatalError {
  const [nearest] = [...PROVIDER_NAMES].sort((a, b) => distance(name, a) - distance(name, b));
  const near = nearest !== undefined && distance(name, nearest) <= Math.max(2, name.length / 3);
  return new FatalError(
    'config-invalid',
    `there is no provider ${name}${near ? `; did you mean ${nearest}?` : ''} (${PROVIDER_NAMES.join(', ')})`,
    { hint: 'Name one of these, or the path of a provider of your own, such as ./my-provider.js.' },
  );
}
