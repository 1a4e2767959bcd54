// Preloaded into the program (--import): at its end, writes what it has loaded, one URL or path a line, to the file
// that LIST_MODULES_IN names.
import { appendFileSync } from 'node:fs';
import { createRequire, register } from 'node:module';

const { LIST_MODULES_IN: file = '' } = process.env;

// ES modules are seen by a hook, which is this text; the others are in the cache of `require`.
const hook = `
import { appendFileSync } from 'node:fs';
export async function load(url, context, next) {
  appendFileSync(${JSON.stringify(file)}, url + '\\n');
  return next(url, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
const { cache } = createRequire(import.meta.url);
process.on('exit', () => appendFileSync(file, Object.keys(cache).join('\n')));
