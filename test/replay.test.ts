import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { asCidrs, EIGHTEEN, HISTORY, type PageWatch, watchPage } from './support/history.ts';
import { addresses } from './support/pass.ts';
import { type ListChange, replay } from './support/replay.ts';

// Whole passes by the dozen: seconds, or a minute where others use the machine too.
vi.setConfig({ testTimeout: 120_000 });

const DAY_MS = 86_400_000;
const FOREIGN = '198.41.200.7';

/** Lives up to the day before the eighteen; six addresses are let in, and the page is gone. */
async function untilTheEighteen(): Promise<PageWatch> {
  const watch = await watchPage();
  for (const edition of HISTORY.slice(0, 3)) {
    watch.site.show(edition);
    watch.place.clock.advance(Date.parse(edition.date) - watch.place.clock.now());
    if (edition.addresses) watch.want(asCidrs(edition.addresses));
    await watch.sync();
  }
  return watch;
}

const last = HISTORY.at(-1)?.date ?? '';
const six = asCidrs(HISTORY[1]?.addresses ?? []).sort();
const everywhere = (cidrs: readonly string[]) => ({ orders: cidrs, analytics: cidrs, edge: cidrs });

test('the history of the page passes with every guard at its default, no human and no outage', async () => {
  const watch = await watchPage();
  const { clock } = watch.place;
  let known: readonly string[] = [];
  for (const [index, edition] of HISTORY.entries()) {
    clock.advance(Date.parse(edition.date) - clock.now());
    watch.site.show(edition);
    if (edition.addresses) known = asCidrs(edition.addresses);
    watch.want(known);
    const until = Date.parse(HISTORY[index + 1]?.date ?? '') || clock.now() + 30 * DAY_MS;
    for (let pass = 0; clock.now() < until; pass += 1) {
      const report = await watch.sync();
      const held = [...report.egress.held, ...report.targets.flatMap((target) => target.held)];
      expect({ exitCode: report.exitCode, held }).toEqual({ exitCode: edition.addresses ? 0 : 1, held: [] });
      expect(watch.allowed()).toEqual(everywhere([...known].sort()));
      expect(watch.wrongs()).toEqual([]);
      clock.advance(Math.min(pass < 3 ? DAY_MS : 120 * DAY_MS, Math.max(1, until - clock.now())));
    }
  }
  expect(known).toHaveLength(18);
});

test.each([
  ['in place of one of the eighteen', EIGHTEEN.with(7, FOREIGN)],
  ['beside the eighteen', [...EIGHTEEN, FOREIGN]],
  ['of another region of the same owner', EIGHTEEN.with(2, '34.34.5.6')],
])('one foreign address %s is held, and with it the whole list', async (_, list) => {
  const watch = await untilTheEighteen();
  watch.place.clock.advance(Date.parse(last) - watch.place.clock.now());
  watch.site.show({ date: last, addresses: list });
  for (let day = 0; day < 3; day += 1) {
    const report = await watch.sync();
    expect(report.exitCode).toBe(3);
    const named = report.egress.held.find(({ guard }) => guard === 'provenance');
    expect(named?.detail).toMatch(/^1 of 1[23] new .*(198\.41\.200\.7|34\.34\.5\.6)/);
    expect(watch.allowed()).toEqual(everywhere(six));
    watch.place.clock.advance('1d');
  }
  expect(watch.wrongs()).toEqual([]);
});

test('a foreign address on one of the two pages is a disagreement, and changes nothing', async () => {
  const watch = await untilTheEighteen();
  watch.place.clock.advance(Date.parse(last) - watch.place.clock.now());
  watch.site.show({ date: last, addresses: EIGHTEEN });
  watch.site.showMarkdown({ date: last, addresses: [...EIGHTEEN, FOREIGN] });
  const report = await watch.sync();
  expect(report).toMatchObject({ exitCode: 1, error: { code: 'sources-disagree' } });
  expect(watch.allowed()).toEqual(everywhere(six));
  expect(watch.wrongs()).toEqual([]);
});

test('without the ranges of the owner the jump to eighteen waits for a person, and six stay', async () => {
  const watch = await untilTheEighteen();
  watch.place.clock.advance(Date.parse(last) - watch.place.clock.now());
  watch.site.show({ date: last, addresses: EIGHTEEN });
  watch.site.ranges = false;
  const report = await watch.sync();
  expect(report.exitCode).toBe(3);
  expect(report.egress.held.map(({ guard }) => guard)).toEqual(['growth']);
  expect(watch.allowed()).toEqual(everywhere(six));
});

/** Made-up histories: from a first list on, addresses of a pool come and go at odd intervals. */
const histories = fc
  .array(
    fc.record({
      list: fc.subarray([...addresses(8), '2600:1900:4000::1/128', '2600:1900:4000::2/128'], {
        minLength: 1,
      }),
      hours: fc.integer({ min: 1, max: 80 }),
    }),
    { minLength: 2, maxLength: 6 },
  )
  .map((steps) => {
    let at = Date.parse('2026-01-01');
    let before: readonly string[] = [];
    return steps.map(({ list, hours }): ListChange => {
      at += hours * 3_600_000;
      const change = {
        at,
        added: list.filter((cidr) => !before.includes(cidr)),
        removed: before.filter((cidr) => !list.includes(cidr)),
      };
      before = list;
      return change;
    });
  });

test('in made-up histories nobody is harmed at any request, and every target ends with the list', async () => {
  let [runs, passes, looks] = [0, 0, 0];
  await fc.assert(
    fc.asyncProperty(histories, async (changes) => {
      const safety = {
        maxGrowth: { count: null, percent: null },
        maxShrink: { count: null, percent: null },
        provenance: { mode: 'off' },
      };
      const lived = await replay(changes, { clouds: ['aws', 'gcp'], safety, daily: 3 });
      runs += 1;
      passes += lived.passes;
      looks += lived.looks;
    }),
    { numRuns: 5 },
  );
  console.log(`replay: ${runs} made-up histories, ${passes} passes, ${looks} requests checked`);
});
