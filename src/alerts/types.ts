import { z } from 'zod';

/** Every type of alert, and when it is given. The docs and the schemas are held to this list. */
export const ALERT_TYPES = {
  'egress.changed': 'The published list changed and was accepted.',
  'egress.held': 'A new list waits for approval.',
  'egress.refused': 'A new list was refused by a guard that no approval releases.',
  'drift.found': 'A target does not hold what it should, by somebody else’s hand.',
  'target.applied': 'A target was changed.',
  'target.failed': 'A target could not be read or changed.',
  'target.held': 'Changes to a target wait for approval.',
  'source.failed': 'A source is unreachable, moved, malformed or empty.',
  'sources.disagree': 'The sources publish different lists.',
  'provenance.blind': 'New addresses could not be compared with the ranges of their owner.',
  stale: 'No fetch, or no run, has succeeded for too long.',
  recovered: 'What an earlier alert told of is over.',
} as const;

export type AlertType = keyof typeof ALERT_TYPES;

export const alertTypeSchema = z.enum(Object.keys(ALERT_TYPES) as [AlertType, ...AlertType[]]);

export const SEVERITIES = ['error', 'warning', 'info'] as const;

/** What a run found that people should know of. */
export interface Condition {
  /** What it is about, the same in every run: `target.failed:orders-db`. */
  readonly key: string;
  readonly type: Exclude<AlertType, 'recovered'>;
  readonly severity: (typeof SEVERITIES)[number];
  /** One line. */
  readonly title: string;
  /** What changed, where, why; a line each. */
  readonly lines: readonly string[];
  /** What to do, or that nothing is to be done. */
  readonly action: string;
  /** Another fingerprint is another state of the same thing, and told at once. Free of times and counters. */
  readonly fingerprint: string;
  /** True: it holds until it is gone (a failure, drift). False: it happened once (a list changed). */
  readonly lasting: boolean;
}

/** Why an alert is sent now. */
export const REASONS = {
  event: 'it happened',
  began: 'it began',
  changed: 'it is still so, and different from what was told',
  repeated: 'it is still so',
  recovered: 'it is over',
  ended: 'it began and was over before it could be delivered',
} as const;

/** An alert as it is delivered, and as it is kept where that failed. */
export const alertRecordSchema = z.object({
  /** The same in every try to deliver it, so that receivers can tell a second one. */
  id: z.string(),
  type: alertTypeSchema,
  /** What is over, for `recovered`; else null. */
  of: alertTypeSchema.nullable(),
  key: z.string(),
  severity: z.enum(SEVERITIES),
  reason: z.enum(Object.keys(REASONS) as [keyof typeof REASONS, ...(keyof typeof REASONS)[]]),
  title: z.string(),
  lines: z.array(z.string()),
  action: z.string(),
  /** When what it tells of began, and when the alert was made; milliseconds since the epoch. */
  since: z.number(),
  at: z.number(),
  fingerprint: z.string(),
  lasting: z.boolean(),
});

export type Alert = z.output<typeof alertRecordSchema>;
