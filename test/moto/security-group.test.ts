import { afterAll, beforeAll } from 'vitest';
import { providerSuite } from '../provider-suite.ts';
import { CAPABILITIES } from '../providers/aws/fixture.ts';
import { motoFixture } from './fixture.ts';
import { type Moto, startMoto } from './server.ts';

let moto: Moto;

beforeAll(async () => {
  moto = await startMoto();
});

afterAll(() => moto?.close());

providerSuite(
  'aws-security-group on moto',
  {
    ...CAPABILITIES,
    runs: 4,
    differences: { faults: 'moto answers every request: it cannot be told to fail' },
  },
  () => motoFixture(moto),
);
