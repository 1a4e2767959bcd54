import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const SERVER = fileURLToPath(new URL('../../node_modules/.cache/moto-venv/bin/moto_server', import.meta.url));

export interface Moto {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string;
  /** Forgets everything. https://docs.getmoto.org/en/latest/docs/server_mode.html#reset-api */
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** A moto server on a free port of loopback. Throws with what it said when it ends before it listens. */
export async function startMoto(): Promise<Moto> {
  const child = spawn(SERVER, ['-H', '127.0.0.1', '-p', '0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PYTHONUNBUFFERED: '1', NO_COLOR: '1' },
  });
  const url = await listening(child);
  return {
    url,
    reset: async () => {
      const { ok, status } = await fetch(`${url}/moto-api/reset`, { method: 'POST' });
      if (!ok) throw new Error(`moto did not reset: HTTP ${status}`);
    },
    close: async () => {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}

/** The address that it prints once it listens. Afterwards its log is read on and dropped, so that it never blocks. */
function listening(child: ChildProcessByStdio<null, null, Readable>): Promise<string> {
  const said: string[] = [];
  return new Promise((resolve, reject) => {
    createInterface(child.stderr).on('line', (line) => {
      const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? [];
      if (url) resolve(url);
      else if (said.length < 50) said.push(line);
    });
    child.once('error', (cause) => reject(new Error('moto is not there; see scripts/moto.sh', { cause })));
    child.once('exit', (code) => reject(new Error(`moto ended with ${code}: ${said.join('\n')}`)));
  });
}
