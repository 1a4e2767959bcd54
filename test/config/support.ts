import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Config, loadConfig } from '../../src/config.ts';
import { CatalogueError } from '../../src/errors.ts';

/** An empty folder that lives as long as the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'allowlist-config-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export const FILE_TARGET = { name: 'edge', provider: 'file', path: './allowlist.txt' };

export const AWS_TARGET = {
  name: 'orders-db',
  provider: 'aws-security-group',
  region: 'us-west-2',
  groupId: 'sg-0a1b2c3d4e5f60718',
  allow: [{ protocol: 'tcp', ports: [5432] }],
};

export const GCP_TARGET = {
  name: 'analytics',
  provider: 'gcp-firewall',
  project: 'acme-data',
  rule: 'allow-community-cloud',
  allow: [{ protocol: 'tcp', ports: [5432, '6432-6439'] }],
};

/** The smallest config, with whatever is given put over it. */
export function configWith(over: Record<string, unknown>): Record<string, unknown> {
  return { owner: 'acme', targets: [FILE_TARGET], ...over };
}

/** Loads a config given as text or as an object, from a file `c.json` in a folder of its own. */
export async function load(config: unknown, env: Record<string, string> = {}): Promise<Config> {
  const cwd = folder();
  writeFileSync(join(cwd, 'c.json'), typeof config === 'string' ? config : JSON.stringify(config));
  return loadConfig({ path: 'c.json', cwd, env });
}

/** The lines of the message when it is refused as `config-invalid`; fails when it is accepted. */
export async function refusal(config: unknown, env: Record<string, string> = {}): Promise<string[]> {
  const error = await load(config, env).then(
    () => new Error('it was accepted'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof CatalogueError && error.code === 'config-invalid') return error.message.split('\n');
  throw error;
}

/** What is wrong with the targets alone. */
export async function targetProblems(...targets: readonly unknown[]): Promise<string[]> {
  return refusal(configWith({ targets }));
}
