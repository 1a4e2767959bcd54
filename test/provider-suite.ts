/**
 * The conformance suite that every provider passes. The test of an adapter says what its kind of object can do and
 * gives a function that makes a fresh {@link Fixture} for each test:
 *
 *     providerSuite('file (text)', { atomic: true, … }, () => makeFileFixture('text'));
 *
 * The suite drives nothing but `read` and `write`, in the core's order, and looks at the object from outside. The
 * cases are in support/suite/; provider-suite.test.ts shows for each what it catches.
 */
import { describe, expect, test } from 'vitest';
import { CASE_KEYS, type Capabilities, type Fixture } from './support/fixture.ts';
import { callCases } from './support/suite/calls.ts';
import { contentsCases } from './support/suite/contents.ts';
import { type Case, makeKit } from './support/suite/kit.ts';
import { ownershipCases } from './support/suite/ownership.ts';
import { troubleCases } from './support/suite/trouble.ts';

export type { Capabilities, Fixture } from './support/fixture.ts';
export { US } from './support/suite/kit.ts';

/** Every case that there is for objects of this kind, skipped ones included. */
export function providerCases(capabilities: Capabilities): Case[] {
  return [contentsCases, ownershipCases, callCases, troubleCases].flatMap((cases) => cases(capabilities));
}

/** One case on a fresh fixture. Throws what does not hold; `skip` ends a case that the fixture cannot show. */
export async function runCase(
  { key, run }: Case,
  makeFixture: () => Promise<Fixture>,
  skip: (reason: string) => never,
): Promise<void> {
  const fixture = await makeFixture();
  try {
    await run({ ...(await makeKit(fixture)), skip: (reason) => skip(`${key}: ${reason}`) });
  } finally {
    await fixture.close();
  }
}

/** Registers the suite. What is skipped says why: the kind of object lacks it, or `differences` names the case. */
export function providerSuite(
  name: string,
  capabilities: Capabilities,
  makeFixture: () => Promise<Fixture>,
): void {
  const { atomic, adopts, differences = {} } = capabilities;
  describe(`provider: ${name}`, () => {
    test('its capabilities are those of the adapter, and differences name cases', async () => {
      const fixture = await makeFixture();
      expect(fixture.provider).toMatchObject({ atomic, adopts });
      await fixture.close();
      expect(CASE_KEYS).toEqual(expect.arrayContaining(Object.keys(differences)));
    });

    for (const one of providerCases(capabilities)) {
      const reason = differences[one.key] ?? one.lacks;
      if (reason) test.skip(`${one.title} (${one.key}: ${reason})`, () => {});
      else test(one.title, { timeout: 120_000 }, ({ skip }) => runCase(one, makeFixture, skip));
    }
  });
}
