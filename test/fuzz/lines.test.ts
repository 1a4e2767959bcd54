import { CIDR, CONFIG_VALUES, LINES } from './lines.ts';
import { fuzzer } from './runner.ts';

const fuzz = fuzzer('lines');

for (const one of [CIDR, ...LINES]) fuzz(one);
fuzz(CONFIG_VALUES);
