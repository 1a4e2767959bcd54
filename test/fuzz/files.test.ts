import { CONFIG, JOURNAL, STATE } from './files.ts';
import { fuzzer } from './runner.ts';

const fuzz = fuzzer('files');

fuzz(CONFIG);
fuzz(STATE);
fuzz(JOURNAL);
