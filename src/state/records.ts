import { z } from 'zod';

const common = {
  /** When, as ISO 8601 in UTC. */
  at: z.iso.datetime(),
  runId: z.string(),
};

const guardNote = z.looseObject({ guard: z.string(), detail: z.string() });

/** What one change did to one target, as in the report. */
const changeNote = z.looseObject({
  action: z.enum(['add', 'remove', 'update', 'mark']),
  cidr: z.string().nullish(),
  protocol: z.string().nullish(),
  ports: z.string().nullish(),
  field: z.string().nullish(),
  from: z.string().nullish(),
  to: z.string().nullish(),
});

/**
 * The kinds of journal records. Objects are loose: a later version may write more, and what this one does not know
 * is kept and shown as it is.
 */
export const recordSchema = z.discriminatedUnion('type', [
  /** The end of every run, whatever came of it. */
  z.looseObject({
    ...common,
    type: z.literal('run'),
    command: z.string(),
    exitCode: z.int(),
    durationMs: z.number(),
    targets: z.array(z.looseObject({ name: z.string(), status: z.string(), changes: z.int() })),
    error: z.looseObject({ code: z.string(), message: z.string() }).nullish(),
  }),
  /** A list passed the guards, or was approved, and is the baseline from now on. */
  z.looseObject({
    ...common,
    type: z.literal('list-accepted'),
    listId: z.string(),
    cidrs: z.array(z.string()),
    added: z.array(z.string()),
    removed: z.array(z.string()),
    /** For each source: where it was read, its status, bytes and sha256. */
    evidence: z.array(z.looseObject({ type: z.string(), url: z.string() })),
  }),
  z.looseObject({
    ...common,
    type: z.literal('list-refused'),
    listId: z.string().nullable(),
    reasons: z.array(guardNote),
  }),
  z.looseObject({
    ...common,
    type: z.literal('list-held'),
    listId: z.string(),
    added: z.array(z.string()),
    removed: z.array(z.string()),
    reasons: z.array(guardNote),
  }),
  /** A person released the held list or plan with this id. */
  z.looseObject({
    ...common,
    type: z.literal('approved'),
    id: z.string(),
    user: z.string(),
    host: z.string(),
  }),
  z.looseObject({
    ...common,
    type: z.literal('target-changed'),
    target: z.string(),
    planId: z.string().nullish(),
    changes: z.array(changeNote),
  }),
  z.looseObject({
    ...common,
    type: z.literal('target-failed'),
    target: z.string(),
    error: z.looseObject({ code: z.string(), message: z.string() }),
  }),
  z.looseObject({
    ...common,
    type: z.literal('alert'),
    alert: z.string(),
    severity: z.string(),
    delivered: z.boolean(),
  }),
]);

export type JournalRecord = z.output<typeof recordSchema>;

/** The least that a line must have to be shown. */
export const anyRecordSchema = z.looseObject({ ...common, type: z.string() });

/** One line of the journal. `known` is false for a type, or a shape, that this version does not know. */
export type JournalEntry =
  | { readonly known: true; readonly record: JournalRecord }
  | { readonly known: false; readonly record: z.output<typeof anyRecordSchema> };

/** Undefined when the line is no record at all. */
export function parseRecord(line: string): JournalEntry | undefined {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return undefined;
  }
  const known = recordSchema.safeParse(json);
  if (known.success) return { known: true, record: known.data };
  const any = anyRecordSchema.safeParse(json);
  return any.success ? { known: false, record: any.data } : undefined;
}
