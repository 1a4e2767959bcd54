import { faultSuite } from './suites.ts';

faultSuite('gcp');
