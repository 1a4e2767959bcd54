import { z } from 'zod';
import { CAUSES } from './drift.ts';
import { ERROR_CODES } from './errors.ts';
import { WARNINGS } from './warnings.ts';

const error = z.strictObject({
  code: z.enum(ERROR_CODES).describe('From the catalogue in docs/errors.md.'),
  message: z.string().describe('What went wrong, and where.'),
  hint: z.string().describe('What to do.'),
});

const held = z.strictObject({
  guard: z.string(),
  detail: z.string().describe('The numbers, the limit and where to change it.'),
  id: z.string().describe('What `sync --approve` takes to release it.'),
});

const change = z.strictObject({
  action: z.enum(['add', 'remove', 'update']),
  cidr: z.string().nullable().optional().describe('Absent for a setting of the whole object.'),
  protocol: z.string().nullable().optional(),
  ports: z.string().nullable().optional(),
  field: z.string().optional().describe('Of an update.'),
  from: z.string().optional(),
  to: z.string().optional(),
  cause: z.enum(Object.keys(CAUSES)).describe('Why.'),
  applied: z.boolean(),
});

const source = z.strictObject({
  type: z.string(),
  status: z.enum(['ok', 'unreachable', 'moved', 'malformed', 'empty']),
  url: z.string(),
  count: z.int().describe('Addresses it publishes; 0 unless its status is ok.'),
  httpStatus: z.int().nullable(),
  bytes: z.int().nullable(),
  sha256: z.string().nullable(),
  etag: z.string().nullable(),
  lastModified: z.string().nullable(),
  position: z.string().nullable().describe('Where in the document the list stands.'),
  duplicates: z.array(z.string()),
  hostBits: z.array(z.string()),
  error: error.nullable(),
});

const egress = z.strictObject({
  listId: z.string().nullable().describe('Of the candidate while there is one, else of the list in force.'),
  cidrs: z.array(z.string()).nullable().describe('The list in force; null without any.'),
  candidate: z.array(z.string()).nullable().describe('A newer list that is refused or held.'),
  added: z.array(z.string()).describe('Against the last accepted list.'),
  removed: z.array(z.string()),
  held: z.array(held),
  refused: z.array(z.strictObject({ guard: z.string(), detail: z.string() })),
  sources: z.array(source),
});

const target = z.strictObject({
  name: z.string(),
  provider: z.string(),
  status: z.enum(['in-sync', 'would-change', 'changed', 'held', 'failed', 'skipped']),
  planId: z.string().nullable(),
  changes: z.array(change),
  drift: z.array(
    z.strictObject({ cause: z.enum(Object.keys(CAUSES)), cidr: z.string().nullable(), detail: z.string() }),
  ),
  pendingRemovals: z.array(
    z.strictObject({
      cidr: z.string(),
      protocol: z.string().nullable(),
      ports: z.string().nullable(),
      removeAfter: z.iso.datetime(),
    }),
  ),
  held: z.array(held),
  warnings: z.array(z.strictObject({ code: z.enum(Object.keys(WARNINGS)), detail: z.string() })),
  apiCalls: z.int().describe('HTTP requests to the service: pages, retries and polls included.'),
  error: error.nullable(),
});

/** The report of one pass, version 1, as `--output json` prints it. Published as schema/report.schema.json. */
export const reportSchema = z.strictObject({
  version: z.literal(1),
  runId: z.string(),
  command: z.enum(['sync', 'check']),
  dryRun: z.boolean(),
  startedAt: z.iso.datetime(),
  durationMs: z.number(),
  exitCode: z.int(),
  egress,
  targets: z.array(target),
  approvals: z
    .array(z.strictObject({ id: z.string(), used: z.boolean() }))
    .describe('What `--approve` named, and whether it released anything.'),
  alerts: z.array(z.strictObject({ type: z.string(), severity: z.string(), delivered: z.boolean() })),
  error: error.nullable(),
});

export const egressSchema = egress;
export const errorSchema = error;

export type Report = z.output<typeof reportSchema>;
export type EgressReport = Report['egress'];
export type SourceReport = EgressReport['sources'][number];
export type TargetReport = Report['targets'][number];
export type ChangeReport = TargetReport['changes'][number];

/** Exit codes, the most important first: something failed, something is held, something would change. */
export function exitCodeOf(report: Omit<Report, 'exitCode'>, { detailed }: { detailed: boolean }): number {
  const { egress, targets, alerts } = report;
  const failed =
    report.error !== null ||
    egress.refused.length > 0 ||
    egress.sources.some(({ status }) => status !== 'ok') ||
    targets.some(({ status }) => status === 'failed') ||
    alerts.some(({ delivered }) => !delivered);
  if (failed) return 1;
  if (egress.held.length > 0 || targets.some(({ held }) => held.length > 0)) return 3;
  const open = targets.some(({ status, drift }) => status === 'would-change' || drift.length > 0);
  const tells = report.command === 'check' || (report.dryRun && detailed);
  return tells && open ? 2 : 0;
}

/** The report of a run that could not begin. */
export function emptyReport(facts: {
  command: Report['command'];
  dryRun: boolean;
  runId: string;
  now: number;
  exitCode: number;
  error: Report['error'];
}): Report {
  const { command, dryRun, runId, now, exitCode, error } = facts;
  return {
    version: 1,
    runId,
    command,
    dryRun,
    startedAt: new Date(now).toISOString(),
    durationMs: 0,
    exitCode,
    egress: {
      listId: null,
      cidrs: null,
      candidate: null,
      added: [],
      removed: [],
      held: [],
      refused: [],
      sources: [],
    },
    targets: [],
    approvals: [],
    alerts: [],
    error,
  };
}
