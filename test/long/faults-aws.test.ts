import { faultSuite } from './suites.ts';

faultSuite('aws');
