/** Files of our own that people edit, and crashes tear. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { onTestFinished } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { FatalError } from '../../src/errors.ts';
import { appendJournal, readJournal } from '../../src/state/journal.ts';
import { EMPTY_STATE } from '../../src/state/remember.ts';
import { openStore } from '../../src/state/store.ts';
import type { Fuzzed } from './runner.ts';
import { addressLike, damaged, demand } from './texts.ts';

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'allowlist-fuzz-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const CANARY = 'canary-5e2f9c';
const ENV = { HOOK: `https://hooks.slack.com/services/${CANARY}`, ADDRESS: '198.51.100.7/32' };

const config = fc
  .record(
    {
      owner: fc.oneof(fc.constantFrom('acme', 'Acme', '${HOOK}'), fc.string({ maxLength: 4 })),
      sources: fc.constantFrom(
        [{ type: 'file', path: 'list.txt', format: 'text' }],
        [{ type: 'streamlit-docs', url: '${HOOK}' }],
        [],
        'x',
      ),
      targets: fc.array(
        fc.oneof(
          fc.record({
            name: fc.constantFrom('edge', 'orders', '${HOOK}'),
            provider: fc.constantFrom('file', 'aws-security-group', 'gcp-firewall', 'fil', '${HOOK}'),
            path: fc.constant('allowed.txt'),
            format: fc.constantFrom('text', 'json', 'nginx', 'txt'),
            extraCidrs: fc.array(addressLike, { maxLength: 2 }),
          }),
          fc.jsonValue({ maxDepth: 2 }),
        ),
        { maxLength: 2 },
      ),
      alerts: fc.constantFrom(
        [{ type: 'slack', webhookUrl: '${HOOK}' }],
        [{ type: 'slack', webhook: '${HOOK}' }],
        [1],
      ),
      safety: fc.oneof(
        fc.constantFrom({ removalDelay: '1h' }, { removalDelay: '${HOOK}' }),
        fc.jsonValue({ maxDepth: 2 }),
      ),
    },
    { requiredKeys: ['owner', 'targets'] },
  )
  .map((value) => JSON.stringify(value, null, 1));

export const CONFIG: Fuzzed<{ text: string; yaml: boolean }> = {
  name: 'config file',
  inputs: 15_000,
  arbitrary: fc.record({
    text: damaged(
      config,
      ['"owner":', '// x\n', '/*', '&a ', '*a', '${HOOK}', '${', '- ', ': ', '!!binary ', '<<: '],
      3,
    ),
    yaml: fc.boolean(),
  }),
  check: {
    open: async () => {
      const dir = folder();
      return async ({ text, yaml }) => {
        const path = join(dir, yaml ? 'c.yaml' : 'c.json');
        writeFileSync(path, text);
        try {
          await loadConfig({ env: ENV, cwd: dir, path });
        } catch (error) {
          if (!(error instanceof FatalError)) throw error;
          demand(error.code === 'config-invalid', `${error.code}: ${error.message}`);
          demand(!error.message.includes(CANARY), `a message shows a secret: ${error.message}`);
        }
      };
    },
  },
};

const state = fc
  .record({
    clocks: fc.array(
      fc.record({ cidr: addressLike, since: fc.nat(), sightings: fc.nat(3), approved: fc.boolean() }),
    ),
    accepted: fc.oneof(
      fc.constant(null),
      fc.record({ listId: fc.string(), cidrs: fc.array(addressLike), at: fc.nat(), approved: fc.boolean() }),
    ),
  })
  .map((value) => JSON.stringify({ ...EMPTY_STATE, ...value }));

export const STATE: Fuzzed<string> = {
  name: 'state file',
  inputs: 10_000,
  arbitrary: damaged(state, ['{', '}', '[', '"version":2,', 'null', '"cidrs":[],'], 2),
  check: {
    open: async () => {
      const dir = folder();
      return async (text) => {
        writeFileSync(join(dir, 'state.json'), text);
        const recalled = await openStore(dir).load();
        const isEmpty = JSON.stringify(recalled.state) === JSON.stringify(EMPTY_STATE);
        demand(recalled.memory !== 'fresh', 'a file that is there was taken for a first run');
        demand(recalled.memory === 'there' || isEmpty, 'a lost memory that knows something');
      };
    },
  },
};

/** What is appended after any wreck can be read, and only the wreck is skipped. */
export const JOURNAL: Fuzzed<Uint8Array> = {
  name: 'journal file',
  inputs: 5_000,
  arbitrary: fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    damaged(fc.constant('{"at":"2026-03-01T12:00:00.000Z","runId":"r","type":"x"}\n'), ['\n', '{', '}']).map(
      (text) => Buffer.from(text),
    ),
  ),
  check: {
    open: async () => {
      const dir = folder();
      const approved = {
        type: 'approved',
        at: '2026-03-01T12:00:00.000Z',
        id: 'plan-1',
        user: 'kim',
        host: 'h',
      } as const;
      return async (wreck) => {
        writeFileSync(join(dir, 'journal.jsonl'), wreck);
        await appendJournal(dir, [{ ...approved, runId: 'after' }]);
        const { entries } = await readJournal(dir, { limit: 1_000 });
        demand(
          entries[0]?.known === true && entries[0].record.runId === 'after',
          'what was appended is not the newest',
        );
      };
    },
  },
};
