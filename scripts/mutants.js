// Takes what is load-bearing out, one piece at a time, in a copy of the tree, and expects the tests named to fail.
//
//     npm run test:mutants            all of them
//     npm run test:mutants -- lock    those whose name contains «lock»
//
// Ends with 1 when a mutant survives, or when the text that it replaces is no longer there exactly once: whoever
// moves such a line moves its mutant along.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** [name, file, exact text, what stands there instead, tests] */
const MUTANTS = [
  [
    'removals come before additions',
    'src/apply.ts',
    'removals.filter(({ key }) => plan.early.has(key))',
    'removals',
    ['test/apply.test.ts'],
  ],
  [
    'removals do not wait for the proof',
    'src/apply.ts',
    'if (unproven.length > 0) break;',
    '',
    ['test/apply.test.ts'],
  ],
  [
    'what is not ours is removed',
    'src/plan.ts',
    'undesired.filter(ours).map(',
    'undesired.map(',
    ['test/plan.test.ts'],
  ],
  [
    'what lost our marker meanwhile is removed',
    'src/apply.ts',
    '(one) => entryKey(one) === key && isOurs(one.marker, identity));\n    return entry ?',
    '(one) => entryKey(one) === key);\n    return entry ?',
    ['test/apply.test.ts'],
  ],
  [
    'the marker of another owner is ours',
    'providers/provider.ts',
    'marker.owner === identity.owner &&',
    '',
    ['test/plan.test.ts'],
  ],
  [
    'a dry run holds a writer',
    'src/targets.ts',
    'writer: null };',
    'writer: opened };',
    ['test/run/target.test.ts'],
  ],
  [
    'only the first page is read',
    'providers/aws/security-group.ts',
    'if (!token) return [...rules.values()];',
    'return [...rules.values()];',
    ['test/providers/aws/security-group.test.ts'],
  ],
  [
    'a missing group reads as empty',
    'providers/aws/security-group.ts',
    'if (rules.length === 0 || accountIsOpen) await requireGroup(group);',
    '',
    ['test/providers/aws/security-group.test.ts', 'test/run/target.test.ts'],
  ],
  [
    'two runs hold the lock',
    'src/state/lock.ts',
    "if (['ENOTEMPTY', 'EEXIST'].includes(systemCode(error) ?? '')) return false;",
    "if (['ENOTEMPTY', 'EEXIST'].includes(systemCode(error) ?? '')) return true;",
    ['test/state/lock.test.ts'],
  ],
  [
    'any approval releases any list',
    'src/guards/ruling.ts',
    'approvals.has(listId)',
    'approvals.size > 0',
    ['test/guards/ruling.test.ts'],
  ],
  [
    'any approval releases any plan',
    'src/guards/plan.ts',
    'findings.length > 0 && approvals.has(plan.id)',
    'findings.length > 0 && approvals.size > 0',
    ['test/guards/plan.test.ts'],
  ],
  [
    'an approval is spent without need',
    'src/guards/plan.ts',
    'findings.length > 0 && approvals.has(plan.id)',
    'approvals.has(plan.id)',
    ['test/guards/plan.test.ts'],
  ],
  [
    'a decision is not kept before it is carried out',
    'src/record.ts',
    'await pass.store.save(decided);',
    '',
    ['test/run/list.test.ts'],
  ],
  [
    'the id of a hold is that of a plan that is half done',
    'src/outcome.ts',
    'plan.holds.length > 0 ? planIdOf(target, left) : outcome.plan.id',
    'outcome.plan.id',
    ['test/run/target.test.ts'],
  ],
  ...[
    ['min-entries', 'candidate.length >= minEntries', 'true'],
    ['max-entries', 'candidate.length <= maxEntries', 'true'],
    ['special-addresses', 'if (special.length === 0) return', 'return'],
    ['prefix-length', 'if (broad.length === 0) return', 'return'],
    [
      'growth',
      'if (baseline.length === 0 || !exceeds(added.length, baseline.length, maxGrowth)) return',
      'return',
    ],
    ['shrink', 'if (!exceeds(gone.length, largest.length, maxShrink)) return', 'return'],
    ['provenance', 'if (strange.length === 0) return', 'return'],
  ].map(([guard, text, replacement]) => [
    `the list guard ${guard} is gone`,
    'src/guards/list.ts',
    text,
    replacement,
    ['test/guards/list.test.ts'],
  ]),
  ...[
    ['capacity', 'if (plan.overflow === null || active.length === 0) return', 'return'],
    ['adoption', 'if (leftovers.length === 0) return', 'return'],
    ['shrink', 'if (!exceeds(count, plan.owned, maxShrink)) return', 'return'],
    ['blast-radius', 'if (most === null || changing.length <= most) return', 'return'],
  ].map(([guard, text, replacement]) => [
    `the plan guard ${guard} is gone`,
    'src/guards/plan.ts',
    text,
    replacement,
    ['test/guards/plan.test.ts'],
  ]),
  [
    'vouching for new addresses has no limit',
    'src/guards/list.ts',
    'added.length <= maxVouched && ',
    '',
    ['test/guards/list.test.ts'],
  ],
  [
    'ranges that cannot be had hold nothing',
    'src/guards/list.ts',
    "ranges.kind === 'unavailable' && provenance.whenUnavailable === 'hold'",
    'false',
    ['test/guards/list.test.ts'],
  ],
  [
    'what shrinks a little at a time is not seen',
    'src/guards/ruling.ts',
    'largest: largestOf(recent, baseline),',
    'largest: baseline,',
    ['test/guards/ruling.test.ts'],
  ],
  [
    'a removal clock of the future runs on',
    'src/clocks.ts',
    'if (!clock || clock.since > now)',
    'if (!clock)',
    ['test/clocks.test.ts'],
  ],
  [
    'the removal delay is gone',
    'src/removal.ts',
    'return waits && !due ?',
    'return false ?',
    ['test/plan.test.ts'],
  ],
  [
    'one list is enough to remove',
    'src/clocks.ts',
    'return clock.sightings >= 2 &&',
    'return',
    ['test/clocks.test.ts'],
  ],
  [
    'a list that not all sources agree on removes',
    'src/guards/ruling.ts',
    "fresh: verdict === 'accepted' && agreement.complete,",
    "fresh: verdict === 'accepted',",
    ['test/guards/ruling.test.ts'],
  ],
  [
    'a full group gives up what is published',
    'src/plan.ts',
    ' && !context.desired.has(entry.cidr)',
    '',
    ['test/guards/plan.test.ts'],
  ],
  [
    'a list is the first one ever while a target is unread',
    'src/record.ts',
    "return found.length === config.targets.length && found.every((one) => 'snapshot' in one);",
    'return found.length <= config.targets.length;',
    ['test/run/list.test.ts'],
  ],
  [
    'providers write what is broader than /8',
    'providers/provider.ts',
    'return prefixLength(cidr) < leastPrefix(cidr);',
    'return prefixLength(cidr) < 0;',
    ['test/providers/file/suite.test.ts'],
  ],
  [
    'a GCP rule without source ranges is written',
    'providers/gcp/steps.ts',
    'if (fields.sourceRanges?.length === 0)',
    'if (fields.sourceRanges?.length === -1)',
    ['test/providers/gcp/steps.test.ts'],
  ],
];

const wanted = process.argv[2] ?? '';
const mutants = MUTANTS.filter(([name]) => name.includes(wanted));
if (mutants.length === 0) fail(`no mutant is called «${wanted}»`);

const copy = mkdtempSync(join(tmpdir(), 'allowlist-sync-mutants-'));
process.once('exit', () => rmSync(copy, { recursive: true, force: true }));
for (const name of [
  'src',
  'providers',
  'test',
  'schema',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
])
  cpSync(join(ROOT, name), join(copy, name), { recursive: true });
symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));

const all = [...new Set(mutants.flatMap(([, , , , tests]) => tests))];
const sound = run(all);
if (sound.failed !== 0 || sound.passed === 0)
  fail(`the tests must pass before anything is taken out:\n${sound.output}`);

let bad = 0;
const width = Math.max(...mutants.map(([name]) => name.length));
for (const [name, file, text, replacement, tests] of mutants) {
  const path = join(copy, file);
  const source = readFileSync(path, 'utf8');
  const found = source.split(text).length - 1;
  let verdict = `not tried: its text stands ${found} times in ${file}`;
  if (found === 1) {
    writeFileSync(
      path,
      source.replace(text, () => replacement),
    );
    const { failed } = run(tests);
    writeFileSync(path, source);
    verdict = failed > 0 ? `caught by ${failed} ${failed === 1 ? 'test' : 'tests'}` : 'SURVIVED';
  }
  if (!verdict.startsWith('caught')) bad += 1;
  console.log(`${name.padEnd(width)}  ${verdict}`);
}
console.log(`\n${mutants.length - bad} of ${mutants.length} mutants caught`);
process.exitCode = bad > 0 ? 1 : 0;

/** Runs test files in the copy. What does not even start has no failed test: it proves nothing. */
function run(tests) {
  const report = join(copy, 'report.json');
  rmSync(report, { force: true });
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const argv = [vitest, 'run', '--reporter=json', `--outputFile=${report}`, ...tests];
  const { stdout, stderr } = spawnSync(process.execPath, argv, { cwd: copy, encoding: 'utf8' });
  const output = `${stdout}${stderr}`;
  try {
    const { numFailedTests: failed, numPassedTests: passed } = JSON.parse(readFileSync(report, 'utf8'));
    return { failed, passed, output };
  } catch {
    return { failed: 0, passed: 0, output };
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
