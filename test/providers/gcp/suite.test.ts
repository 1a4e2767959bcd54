import { providerSuite } from '../../provider-suite.ts';
import { CAPABILITIES, emulatorFixture } from './fixture.ts';

providerSuite('gcp-firewall', CAPABILITIES, emulatorFixture);
