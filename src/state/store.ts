import { join } from 'node:path';
import { readJson, writeJson } from './files.ts';
import { appendJournal } from './journal.ts';
import type { JournalRecord } from './records.ts';
import { EMPTY_STATE } from './remember.ts';
import { type State, stateSchema } from './state.ts';

export interface Recalled {
  readonly state: State;
  /** `fresh`: a first run. `lost`: there was something that cannot be read; `detail` says what. */
  readonly memory: 'there' | 'fresh' | 'lost';
  readonly detail: string | null;
}

/** The memory of one installation: a folder with `state.json` and the journal. */
export interface Store {
  /** Where it is. */
  readonly dir: string;
  /** What is remembered; an unreadable file is a lost memory, and no failure. Throws `state-unusable`. */
  load(): Promise<Recalled>;
  /** Replaces what is remembered, in one atomic step. Throws `state-unusable`. */
  save(state: State): Promise<void>;
  /** Adds to the journal. Throws `state-unusable`. */
  append(records: readonly JournalRecord[]): Promise<void>;
}

/** A store on a folder, which is made when something is first written. */
export function openStore(dir: string): Store {
  const file = join(dir, 'state.json');
  return {
    dir,
    load: async () => {
      const read = await readJson(file, stateSchema);
      if (read.kind === 'ok') return { state: read.value, memory: 'there', detail: null };
      if (read.kind === 'missing') return { state: EMPTY_STATE, memory: 'fresh', detail: null };
      return { state: EMPTY_STATE, memory: 'lost', detail: read.detail };
    },
    save: (state) => writeJson(file, state),
    append: (records) => appendJournal(dir, records),
  };
}
