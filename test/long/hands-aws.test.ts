import { handSuite } from './suites.ts';

handSuite('aws');
