// Writes schema/*.json from the zod schemas. With --check it writes nothing and fails when a file is stale.
// Needs a build: `npm run schemas` makes one.
import { readFileSync, writeFileSync } from 'node:fs';
import { buildSchemas } from '../dist/src/schemas.js';

const check = process.argv.includes('--check');
const folder = new URL('../schema/', import.meta.url);
const stale = [];
for (const [name, text] of await buildSchemas()) {
  if (read(name) === text) continue;
  stale.push(name);
  if (!check) writeFileSync(new URL(name, folder), text);
}
if (stale.length > 0) console.error(`${check ? 'stale' : 'written'}: ${stale.join(', ')}`);
if (check && stale.length > 0) {
  console.error('Run `npm run schemas` and commit what it writes.');
  process.exitCode = 1;
}

function read(name) {
  try {
    return readFileSync(new URL(name, folder), 'utf8');
  } catch {
    return undefined;
  }
}
