import { readFileSync } from 'node:fs';

/** The version in package.json, which lies two folders up from the compiled file and one up from the source. */
export function readVersion(): string {
  const path = import.meta.url.endsWith('.ts') ? '../package.json' : '../../package.json';
  try {
    return (
      /"version": "([^"]+)"/.exec(readFileSync(new URL(path, import.meta.url), 'utf8'))?.[1] ?? 'unknown'
    );
  } catch {
    return 'unknown';
  }
}
