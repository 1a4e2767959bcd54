/**
 * A process of its own for processes.test.ts, which syncs as often as it is told to, each time as the command line does,
 * lock included. Compiled code: Node 20 runs no TypeScript, and a process a sync would cost minutes.
 */
import { sync } from '../../dist/src/commands/sync.js';

const [config] = process.argv.slice(2);
const terminal = {
  env: process.env,
  cwd: process.cwd(),
  stdoutIsTty: false,
  stderrIsTty: false,
  stdinIsTty: false,
  ask: async () => '',
  writeOut: () => undefined,
  writeErr: (text) => void process.stderr.write(text),
  signal: new AbortController().signal,
  onReload: () => undefined,
};

process.on('message', async (runs) => {
  const ended = [];
  for (let run = 0; run < runs; run += 1) {
    const { exitCode, json } = await sync(
      { config, output: 'json', color: false, logLevel: 'error' },
      terminal,
    );
    ended.push({
      exitCode,
      codes: [json.error, ...json.targets.map(({ error }) => error)].flatMap((e) => e?.code ?? []),
    });
  }
  process.send(ended);
});
