#!/usr/bin/env node
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
  const terminal = await openTerminal();
  try {
    const { runProgram } = await import('./program.ts');
    const { writeOut: out, writeErr: err } = terminal;
    const parsed = await runProgram(argv, terminal, { out, err, version: readVersion() });
    if (parsed) out(await print(parsed.result, parsed.flags.output));
    await end(parsed?.result.exitCode ?? 0);
  } catch (error) {
    await fail(error, terminal);
  }
}

/** What no one catches ends here too: whoever reads it is owed a line, and not a stack. */
async function fail(error: unknown, terminal: Terminal): Promise<void> {
  const { failure } = await import('./failure.ts');
  const { out, err, exitCode } = await failure(error, argv, terminal);
  terminal.writeOut(out);
  terminal.writeErr(err);
  await end(exitCode);
}

async function print({ json, lines, markdown, secrets = [] }: Result, output: string): Promise<string> {
  const { redactor, mapTexts } = await import('./text.ts');
  const redact = redactor(secrets);
  if (output === 'json')
    return json === undefined ? '' : `${JSON.stringify(mapTexts(json, redact), null, 2)}\n`;
  const shown = output === 'markdown' ? (markdown ?? lines) : lines;
  return shown.length > 0 ? `${redact(shown.join('\n'))}\n` : '';
}

async function openTerminal(): Promise<Terminal> {
  const { TransientError } = await import('./errors.ts');
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // Stays in place: signal-exit, which write-file-atomic brings, kills a process that nobody else listens for.
    process.on(signal, () => {
      // The second signal ends the process at once: somebody means it.
      if (stop.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143);
      stop.abort(new TransientError('stopped', `stopped by ${signal}`));
    });
  }
  const { env, stdout, stderr, stdin } = process;
  // A reader that went away (`| head`) is no failure of ours, and changes nothing about what was done.
  for (const stream of [stdout, stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  const terminal: Terminal = {
    env,
    cwd: process.cwd(),
    stdoutIsTty: stdout.isTTY === true,
    stderrIsTty: stderr.isTTY === true,
    columns: stdout.columns,
    stdinIsTty: stdin.isTTY === true,
    ask: async (question) => {
      const { createInterface } = await import('node:readline');
      const reader = createInterface({ input: stdin, output: stderr });
      // The end of the input and Ctrl-C are answers too: an empty one.
      return new Promise((resolve) => {
        let answer: string | undefined;
        reader.on('close', () => {
          if (answer === undefined) stderr.write('\n');
          resolve(answer ?? '');
        });
        reader.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
        stop.signal.addEventListener('abort', () => reader.close(), { once: true });
        reader.question(question, (text) => {
          answer = text;
          reader.close();
        });
      });
    },
    writeOut: (text) => void stdout.write(text),
    writeErr: (text) => void stderr.write(text),
    signal: stop.signal,
    onReload: (callback) => void process.on('SIGHUP', callback),
  };
  process.on('uncaughtException', (error) => void fail(error, terminal));
  // Warnings of Node and of SDKs are for their developers: what matters to a user is told in our words.
  if (!argv.join(' ').includes('--log-level debug') && !argv.includes('--log-level=debug'))
    process.removeAllListeners('warning');
  return terminal;
}

/** Ends the process when what was written has left it: `process.exit` alone would cut a pipe short. */
async function end(exitCode: number): Promise<void> {
  for (const stream of [process.stdout, process.stderr])
    await new Promise<void>((resolve) => stream.write('', () => resolve()));
  process.exit(exitCode);
}
