import { MARKDOWN, MARKDOWN_WHOLE } from './documents.ts';
import { fuzzer } from './runner.ts';

const fuzz = fuzzer('markdown');

for (const one of MARKDOWN) fuzz(one);
fuzz(MARKDOWN_WHOLE);
