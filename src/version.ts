import { readFileSync } from 'node:fs';

/** The version in package.json, which lies two folders up from the compiled file and one up from the source. */
export function readVersion(): string {
  for (const path of ['../package.json', '../../package.json']) {
    const text = readOptional(new URL(path, import.meta.url));
    const version = text === undefined ? undefined : /"version": "([^"]+)"/.exec(text)?.[1];
    if (version) return version;
  }
  return 'unknown';
}

function readOptional(url: URL): string | undefined {
  try {
    return readFileSync(url, 'utf8');
  } catch {
    return undefined;
  }
}
