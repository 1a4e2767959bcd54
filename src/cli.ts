#!/usr/bin/env node
import { createInterface } from 'node:readline/promises';
import type { Result, Terminal } from './commands/context.ts';
import { readVersion } from './version.ts';

/*
 * Flags, command, exit code: the only place that ends the process. Nothing is imported here that --version would
 * pay for.
 */

const argv = process.argv.slice(2);
if (argv[0] === '--version' || argv[0] === '-V') process.stdout.write(`${readVersion()}\n`);
else await main();

async function main(): Promise<void> {
  const terminal = openTerminal();
  const { runProgram } = await import('./program.ts');
  const { out, err } = { out: terminal.writeOut, err: terminal.writeErr };
  let exitCode = 0;
  try {
    const parsed = await runProgram(argv, terminal, { out, err, version: readVersion() });
    if (parsed) {
      const { redactor } = await import('./text.ts');
      out(redactor(parsed.result.secrets ?? [])(print(parsed.result, parsed.flags.output)));
      exitCode = parsed.result.exitCode;
    }
  } catch (error) {
    const { failure } = await import('./failure.ts');
    const failed = await failure(error, argv, terminal);
    out(failed.out);
    err(failed.err);
    exitCode = failed.exitCode;
  }
  await flushed();
  process.exit(exitCode);
}

function print(result: Result, output: string): string {
  if (output === 'json') return result.json === undefined ? '' : `${JSON.stringify(result.json, null, 2)}\n`;
  const lines = output === 'markdown' ? (result.markdown ?? result.lines) : result.lines;
  return lines.length > 0 ? `${lines.join('\n')}\n` : '';
}

function openTerminal(): Terminal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // The second signal ends the process at once: somebody means it.
    process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
  }
  // A reader that went away (`| head`) is no failure of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  const { env, stdout, stderr, stdin } = process;
  return {
    env,
    cwd: process.cwd(),
    stdoutIsTty: stdout.isTTY === true,
    stderrIsTty: stderr.isTTY === true,
    stdinIsTty: stdin.isTTY === true,
    ask: async (question) => {
      const reader = createInterface({ input: stdin, output: stderr });
      try {
        return await reader.question(question);
      } finally {
        reader.close();
      }
    },
    writeOut: (text) => void stdout.write(text),
    writeErr: (text) => void stderr.write(text),
    signal: stop.signal,
    onReload: (callback) => void process.on('SIGHUP', callback),
  };
}

/** Waits until what was written has left the process: `process.exit` would cut a pipe short. */
async function flushed(): Promise<void> {
  for (const stream of [process.stdout, process.stderr])
    await new Promise<void>((resolve) => stream.write('', () => resolve()));
}
