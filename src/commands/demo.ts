import { playDemo } from '../demo/play.ts';
import { serveDemo } from '../demo/serve.ts';
import type { Flags, Result, Terminal } from './context.ts';

export interface DemoOptions {
  readonly serve?: boolean;
}

/** `demo`: the whole product on embedded clouds on loopback; with `--serve` only the clouds. */
export function demo(options: DemoOptions & Flags, terminal: Terminal): Promise<Result> {
  return options.serve ? serveDemo(options, terminal) : playDemo(options, terminal);
}
