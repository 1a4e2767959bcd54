import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import type { TransientError } from './errors.ts';
import type { Store } from './state/store.ts';

/** Everything from outside that one pass depends on. */
export interface World {
  readonly clock: Clock;
  /** From 0 (included) to 1 (excluded). */
  readonly random: () => number;
  readonly uuid: () => string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The longest one request to a target's service may take, in milliseconds. Default: 30 s. */
  readonly callTimeoutMs?: number;
  /** Who approves, for the journal. */
  readonly user: string;
  readonly host: string;
}

/** What happens along the way, for a log or a progress line. */
export type PassEvent =
  | { readonly type: 'source-read'; readonly source: string; readonly status: string; readonly count: number }
  | { readonly type: 'target-read'; readonly target: string; readonly read: number; readonly of: number }
  | { readonly type: 'target-done'; readonly target: string; readonly done: number; readonly of: number }
  | {
      readonly type: 'retry';
      readonly where: string;
      readonly error: TransientError;
      readonly delayMs: number;
    }
  | { readonly type: 'channel-failed'; readonly reason: string };

/** One pass over the sources and the targets. */
export interface Pass {
  readonly runId: string;
  readonly config: Config;
  readonly command: 'sync' | 'check';
  /** Nothing is written: not to targets, not to the state, not to channels. */
  readonly dryRun: boolean;
  /** Whether pending changes of a dry run show in the exit code. */
  readonly detailedExitCode: boolean;
  /** Names of targets; null for all. */
  readonly only: ReadonlySet<string> | null;
  /** Ids of held lists and plans that a person releases, for this pass only. */
  readonly approvals: ReadonlySet<string>;
  readonly world: World;
  readonly store: Store;
  /** The run's deadline, and the end of the process. */
  readonly signal: AbortSignal;
  /** The end of the process alone: that the deadline passed is told to the channels too. Default: `signal`. */
  readonly stop?: AbortSignal;
  readonly tell: (event: PassEvent) => void;
}
