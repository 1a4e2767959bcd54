import type { LoggedRequest } from '../../src/emulators/server.ts';

/** Kills a pass the moment its first change has taken effect on a cloud, before anything more is remembered of it. */
export interface Killer {
  /** For the `observe` of the cloud. */
  readonly observe: (request: LoggedRequest) => void;
  /** Starts a pass and comes back when it is dead. */
  readonly during: (start: (killed: AbortSignal) => Promise<unknown>) => Promise<void>;
}

export function killer(): Killer {
  let strike: (() => void) | undefined;
  return {
    observe: ({ writes }) => {
      if (writes) strike?.();
    },
    during: async (start) => {
      const dead = new AbortController();
      const struck = new Promise<void>((resolve) => {
        strike = () => {
          dead.abort(new Error('killed'));
          resolve();
        };
      });
      await Promise.race([struck, start(dead.signal).then(() => Promise.reject(new Error('it lived')))]);
      strike = undefined;
    },
  };
}
