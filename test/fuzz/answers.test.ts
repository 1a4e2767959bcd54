import { COMPUTE, EC2, EC2_CUT } from './answers.ts';
import { fuzzer } from './runner.ts';

const fuzz = fuzzer('answers');

fuzz(EC2);
fuzz(EC2_CUT);
fuzz(COMPUTE);
