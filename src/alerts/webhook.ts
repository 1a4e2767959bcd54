import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { neutralise } from '../text.ts';
import type { Batch } from './channel.ts';
import { alertTypeSchema, REASONS, SEVERITIES } from './types.ts';

export const SIGNATURE_HEADER = 'X-Allowlist-Sync-Signature';

const reasons = Object.entries(REASONS).map(([name, means]) => `${name}: ${means}`);

const deliveredAlertSchema = z.strictObject({
  id: z.string().describe('The same in every try to deliver this alert: receivers can drop a second one.'),
  type: alertTypeSchema.describe('What it is.'),
  of: alertTypeSchema.nullable().describe('For `recovered`: the type of what is over; else null.'),
  key: z.string().describe('What it is about, the same for its beginning, its repeats and its end.'),
  severity: z.enum(SEVERITIES).describe('How bad it is.'),
  reason: z.enum(Object.keys(REASONS)).describe(`Why it is sent now. ${reasons.join('; ')}.`),
  title: z.string().describe('One line.'),
  lines: z.array(z.string()).describe('What changed, where, why.'),
  action: z.string().describe('What to do.'),
  since: z.iso.datetime().describe('When what it tells of began.'),
  at: z.iso.datetime().describe('When the alert was made.'),
});

/** The document that a `webhook` channel posts. */
export const webhookDocumentSchema = z
  .strictObject({
    version: z.literal(1).describe('The version of this form.'),
    tool: z.string().describe('`allowlist-sync/<version>`.'),
    owner: z.string().describe('The `owner` of the config: which installation speaks.'),
    runId: z.string().describe('The run that sent it.'),
    sentAt: z.iso.datetime().describe('When it was sent.'),
    alerts: z.array(deliveredAlertSchema).min(1).describe('All alerts of this run, the worst first.'),
  })
  .describe('Alerts of one run of allowlist-sync.');

export type WebhookDocument = z.output<typeof webhookDocumentSchema>;

/** The document for a batch. Text from outside is neutralised; `now` in milliseconds since the epoch. */
export function webhookDocument({ owner, runId, version, alerts }: Batch, now: number): WebhookDocument {
  return {
    version: 1,
    tool: `allowlist-sync/${version}`,
    owner,
    runId,
    sentAt: new Date(now).toISOString(),
    alerts: alerts.map(({ id, type, of, key, severity, reason, title, lines, action, since, at }) => ({
      id,
      type,
      of,
      key,
      severity,
      reason,
      title: neutralise(title),
      lines: lines.map((line) => neutralise(line)),
      action: neutralise(action),
      since: new Date(since).toISOString(),
      at: new Date(at).toISOString(),
    })),
  };
}

/** The value of {@link SIGNATURE_HEADER}: `t=<seconds since the epoch>,v1=<hex HMAC-SHA256 of "<t>.<body>">`. */
export function sign(secret: string, body: string, now: number): string {
  const t = Math.floor(now / 1000);
  return `t=${t},v1=${digest(secret, t, body).toString('hex')}`;
}

/**
 * For receivers: whether `header` is the signature of exactly this body (the bytes as they came, before any JSON
 * parser), made with `secret` and not longer than `toleranceMs` (5 min) ago or ahead.
 *
 * The same without this package:
 *
 *     const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header);
 *     const expected = createHmac('sha256', secret).update(`${t}.`).update(body).digest();
 *     const genuine = timingSafeEqual(expected, Buffer.from(v1, 'hex')) && Math.abs(Date.now() / 1000 - t) <= 300;
 */
export function verifySignature(options: {
  secret: string;
  header: string | undefined;
  body: string | Uint8Array;
  /** Milliseconds since the epoch. */
  now: number;
  toleranceMs?: number;
}): boolean {
  const { secret, header, body, now, toleranceMs = 300_000 } = options;
  const [, t, v1] = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(header ?? '') ?? [];
  if (t === undefined || v1 === undefined) return false;
  const genuine = timingSafeEqual(digest(secret, Number(t), body), Buffer.from(v1, 'hex'));
  return genuine && Math.abs(now - Number(t) * 1000) <= toleranceMs;
}

function digest(secret: string, t: number, body: string | Uint8Array): Buffer {
  return createHmac('sha256', secret).update(`${t}.`).update(body).digest();
}
