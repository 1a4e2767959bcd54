import { handSuite } from './suites.ts';

handSuite('gcp');
