import { z } from 'zod';
import { some } from '../guards/list.ts';
import { columns, plural, styleFor } from '../render/style.ts';
import { readJournal } from '../state/journal.ts';
import { anyRecordSchema, type JournalEntry, recordSchema } from '../state/records.ts';
import { type Flags, loadFor, type Result, secretsOf, type Terminal } from './context.ts';

/** What `history --output json` prints. */
export const historyDocumentSchema = z.strictObject({
  version: z.literal(1),
  records: z
    .array(z.union([recordSchema, anyRecordSchema]))
    .describe('The newest first. A later version may write kinds of records that are not described here.'),
  skipped: z.int().describe('Lines on the way that are no records: what a crash tore off.'),
  error: z.null(),
});

export interface HistoryOptions extends Flags {
  readonly limit: number;
}

/** `history`: the newest records of the journal, newest first. Reads the state alone. */
export async function history(options: HistoryOptions, terminal: Terminal): Promise<Result> {
  const config = await loadFor(options, terminal);
  const { entries, skipped } = await readJournal(config.stateDir, { limit: options.limit });
  const style = styleFor(options.color);
  const rows = columns(entries.map((entry) => [entry.record.at, entry.record.type, describe(entry)]));
  const lines = rows.map(([at = '', type = '', what = '']) => `${style.dim(at)}${style.bold(type)}${what}`);
  if (skipped > 0)
    lines.push(
      style.yellow(`${plural(skipped, 'line')} of the journal cannot be read (a crash?) and is passed over`),
    );
  const records = entries.map(({ record }) => record);
  const json: z.output<typeof historyDocumentSchema> = { version: 1, records, skipped, error: null };
  return {
    exitCode: 0,
    json,
    secrets: secretsOf(config, terminal.env),
    lines: lines.length > 0 ? lines : ['nothing has happened yet'],
  };
}

function describe(entry: JournalEntry): string {
  if (!entry.known) return 'written by another version of this tool';
  const { record } = entry;
  switch (record.type) {
    case 'run': {
      const targets = record.targets.map(
        ({ name, status, changes }) => `${name} ${status}${changes > 0 ? ` (${changes})` : ''}`,
      );
      const error = record.error ? `; ${record.error.message}` : '';
      return `exit code ${record.exitCode}, ${record.durationMs} ms: ${some(targets, 5) || 'no targets'}${error}`;
    }
    case 'list-accepted':
      return `${plural(record.cidrs.length, 'address', 'addresses')} (${record.listId}): ${difference(record)}`;
    case 'list-held':
    case 'list-refused': {
      const reasons = record.reasons.map(({ guard, detail }) => `${guard}: ${detail}`).join('; ');
      return `${record.listId ?? 'a list'}: ${reasons}`;
    }
    case 'approved':
      return `${record.id} by ${record.user} on ${record.host}`;
    case 'target-changed': {
      const changes = record.changes.map(({ action, cidr, field }) =>
        `${action} ${cidr ?? field ?? ''}`.trim(),
      );
      return `${record.target}: ${some(changes, 5)}`;
    }
    case 'target-failed':
      return `${record.target}: ${record.error.message}`;
    case 'alert':
      return `${record.alert} (${record.severity})${record.delivered ? '' : ', not delivered'}`;
  }
}

function difference({ added, removed }: { added: readonly string[]; removed: readonly string[] }): string {
  const parts = [
    ...(added.length > 0 ? [`+ ${some(added, 5)}`] : []),
    ...(removed.length > 0 ? [`- ${some(removed, 5)}`] : []),
  ];
  return parts.join('; ') || 'unchanged';
}
