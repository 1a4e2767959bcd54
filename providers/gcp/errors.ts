import { z } from 'zod';
import { type CatalogueError, ConflictError, FatalError, TransientError } from '../../src/errors.ts';

/** What a call is about; stands in every message. */
export interface Call {
  /** The vendor's name: `firewalls.patch`. */
  readonly operation: string;
  /** `projects/<project>` or a rule in it. */
  readonly object: string;
  /** Needed for it, where the answer does not name one. */
  readonly permission: string;
}

/** An answer that is no success. Made where the HTTP answer is; {@link refusal} says what it means. */
export class HttpFailure extends Error {
  readonly status: number;
  readonly reason: string;
  readonly retryAfterMs: number | undefined;

  constructor(status: number, body: string, headers: Headers) {
    const { message, reason } = errorOf(body);
    super(message || `HTTP ${status}`);
    this.name = 'HttpFailure';
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfter(headers);
  }
}

/** https://cloud.google.com/compute/docs/api-quota: a refused call counts again in the next minute. */
const QUOTA_MINUTE_MS = 60_000;
const THROTTLED = new Set(['rateLimitExceeded', 'userRateLimitExceeded', 'RATE_LIMIT_EXCEEDED']);

/**
 * What an HTTP failure of the Compute API means for us.
 * https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-api-errors
 */
export function refusal(failure: HttpFailure, call: Call): CatalogueError {
  const { status, reason, message, retryAfterMs } = failure;
  const where = `${call.operation} on ${call.object}`;
  const said = `${where}: ${message} (HTTP ${status}${reason ? `, ${reason}` : ''})`;
  const later = retryAfterMs === undefined ? {} : { retryAfterMs };

  if (THROTTLED.has(reason) || status === 429)
    return new TransientError('throttled', said, { retryAfterMs: QUOTA_MINUTE_MS, ...later });
  if (status >= 500 || status === 408) return new TransientError('service-error', said, later);
  if (status === 401) return new FatalError('credentials-missing', said);
  if (status === 403) return forbidden(failure, call);
  if (status === 404) {
    return ofOneRule(call)
      ? new ConflictError(`${call.object} is gone (${call.operation})`)
      : new FatalError('target-missing', said);
  }
  // Ours is not the only change to this rule: another operation on it runs, or it appeared meanwhile.
  if (status === 409 || status === 412 || reason === 'resourceNotReady') return new ConflictError(said);
  return new FatalError('request-refused', said);
}

/** A 403 that is no throttling: a permission, an API that is not enabled, or a quota of objects. */
function forbidden({ message, reason }: HttpFailure, call: Call): FatalError {
  const said = `${call.operation} on ${call.object}: ${message}`;
  if (reason === 'quotaExceeded') return new FatalError('request-refused', `${said} (quotaExceeded)`);
  if (reason === 'accessNotConfigured' || reason === 'SERVICE_DISABLED') {
    const hint =
      'Enable the Compute Engine API in the project (gcloud services enable compute.googleapis.com).';
    return new FatalError('permission-missing', said, { hint });
  }
  const permission = /\bcompute\.(?!googleapis)[a-zA-Z]+\.[a-zA-Z]+/.exec(message)?.[0] ?? call.permission;
  return new FatalError('permission-missing', `${said} (missing: ${permission})`, {
    hint: `Grant ${permission} on the project; the README has the exact role.`,
  });
}

/** Whether a 404 says that a rule we read a moment ago is no longer there. */
function ofOneRule({ operation }: Call): boolean {
  return ['firewalls.get', 'firewalls.patch', 'firewalls.update', 'firewalls.delete'].includes(operation);
}

/** https://cloud.google.com/compute/docs/reference/rest/v1/globalOperations */
export const operationSchema = z.object({
  name: z.string().min(1),
  status: z.enum(['PENDING', 'RUNNING', 'DONE']),
  httpErrorStatusCode: z.number().nullish(),
  error: z
    .object({
      errors: z.array(z.object({ code: z.string().nullish(), message: z.string().nullish() })).nullish(),
    })
    .nullish(),
});

export type Operation = z.output<typeof operationSchema>;

/** What a finished operation failed with, or undefined. An error without details is an error all the same. */
export function operationFailure(operation: Operation, call: Call): CatalogueError | undefined {
  const status = operation.httpErrorStatusCode ?? 0;
  const errors = operation.error?.errors ?? [];
  if (!operation.error && status < 400) return undefined;
  const code = errors[0]?.code ?? '';
  const texts = errors.map((error) => oneLine(`${error.code ?? ''}: ${error.message ?? ''}`)).join('; ');
  const said = `${call.operation} on ${call.object} was accepted and failed: ${texts || `HTTP ${status}`}`;
  if (/RATE_?(LIMIT_)?EXCEEDED$/.test(code) || status === 429)
    return new TransientError('throttled', said, { retryAfterMs: QUOTA_MINUTE_MS });
  if (/ALREADY_EXISTS|NOT_READY|CONFLICT|FINGERPRINT/.test(code) || status === 409)
    return new ConflictError(said);
  if (/NOT_FOUND/.test(code) || status === 404)
    return ofOneRule(call) ? new ConflictError(said) : new FatalError('target-missing', said);
  if (/PERMISSION/.test(code) || (status === 403 && !/QUOTA/.test(code)))
    return forbidden(
      new HttpFailure(403, JSON.stringify({ error: { message: texts } }), new Headers()),
      call,
    );
  if (/INTERNAL|BACKEND|UNAVAILABLE/.test(code) || status >= 500)
    return new TransientError('service-error', said);
  return new FatalError('request-refused', said);
}

const bodySchema = z.object({
  error: z.object({
    message: z.string().catch(''),
    errors: z.array(z.object({ reason: z.string().optional() })).catch([]),
    details: z.array(z.object({ reason: z.string().optional() })).catch([]),
  }),
});

/** https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-api-errors: the shape of an error body. */
function errorOf(body: string): { message: string; reason: string } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return { message: '', reason: '' };
  }
  const { data } = bodySchema.safeParse(parsed);
  const all = [...(data?.error.errors ?? []), ...(data?.error.details ?? [])];
  const reason = all.find((item) => item.reason)?.reason ?? '';
  return { message: oneLine(data?.error.message ?? ''), reason };
}

/** Seconds, or a date, which is taken against the answer's own clock. RFC 9110 section 10.2.3. */
function retryAfter(headers: Headers): number | undefined {
  const text = headers.get('retry-after') ?? '';
  if (/^\d{1,6}$/.test(text)) return Number(text) * 1000;
  const delay = Date.parse(text) - Date.parse(headers.get('date') ?? '');
  return Number.isFinite(delay) ? Math.max(0, delay) : undefined;
}

/** Text of the service, fit for one line of ours. */
export function oneLine(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return line.length > 300 ? `${line.slice(0, 299)}…` : line;
}
