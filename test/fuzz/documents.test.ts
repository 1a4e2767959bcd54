import { HTML, HTML_WHOLE, PLAIN } from './documents.ts';
import { fuzzer } from './runner.ts';

const fuzz = fuzzer('documents');

for (const one of [...HTML, ...PLAIN]) fuzz(one);
fuzz(HTML_WHOLE);
