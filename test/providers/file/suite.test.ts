import { providerSuite } from '../../provider-suite.ts';
import { makeFileFixture } from './fixture.ts';

for (const format of ['text', 'nginx', 'json'] as const) {
  providerSuite(
    `file (${format})`,
    {
      atomic: true,
      families: ['ipv4', 'ipv6'],
      ownership: format === 'json' ? 'object' : 'entry',
      adopts: null,
      supportsDescriptions: false,
      runs: 50,
    },
    () => makeFileFixture(format),
  );
}
