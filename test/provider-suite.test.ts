import { expect, test } from 'vitest';
import { providerCases, providerSuite, runCase } from './provider-suite.ts';
import type { Capabilities, Fixture } from './support/fixture.ts';
import { BUGS, type Bug, CAPABILITIES, memoryFixture } from './support/memory.ts';

providerSuite('in memory', CAPABILITIES, () => memoryFixture());

const impossible = (reason: string): never => {
  throw new Error(`skipped: ${reason}`);
};

/** Whether some case of this key fails. */
async function catches(
  key: string,
  capabilities: Capabilities,
  make: () => Promise<Fixture>,
): Promise<boolean> {
  for (const one of providerCases(capabilities).filter((candidate) => candidate.key === key)) {
    const held = await runCase(one, make, impossible).then(
      () => true,
      () => false,
    );
    if (!held) return true;
  }
  return false;
}

test.each(Object.keys(BUGS) as Bug[])('an adapter that %s does not pass', async (bug) => {
  expect(await catches(BUGS[bug], CAPABILITIES, () => memoryFixture(bug))).toBe(true);
});

test('a case that needs faults says that it was skipped where there are none', async () => {
  const { inject: _, ...calm } = await memoryFixture();
  const [faults] = providerCases(CAPABILITIES).filter(({ key }) => key === 'faults');
  expect(faults).toBeDefined();
  if (faults)
    await expect(runCase(faults, async () => calm, impossible)).rejects.toThrow('skipped: faults: ');
});
