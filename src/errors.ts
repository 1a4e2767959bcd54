/**
 * The error catalogue: every failure that a user can meet, what it is, and what to do about it. The hint here is
 * the general advice; the place that throws may give a better one. docs/errors.md is held to this list by a test.
 */
const FATAL = {
  usage: 'See `allowlist-sync <command> --help`.',
  'config-missing': 'Pass --config FILE, set ALLOWLIST_SYNC_CONFIG, or start from config.example.json.',
  'config-invalid': 'Correct the config; `allowlist-sync validate` checks it without any network.',
  'source-moved': 'Open the page in a browser; when it moved, set the `url` of the source to the new place.',
  'source-malformed':
    'Nothing was changed. Open the page: when its layout changed, set `heading`, or use another source.',
  'source-empty': 'Nothing was changed. An empty list is never believed.',
  'source-refused':
    'Sources are fetched over https from public addresses only; a literal loopback URL may use http.',
  'sources-disagree':
    'Nothing is changed until the sources agree; compare them with `allowlist-sync sources`.',
  'list-refused':
    'Nothing was changed. No approval releases this; see the guard named, and its limit under `safety`.',
  'no-list': 'There is no accepted list to work from yet; see the errors of the sources.',
  'target-missing': 'Check the id, the region or project, and the account of the credentials.',
  'permission-missing': 'Grant the permission named; the README has the exact policy.',
  'credentials-missing':
    'Give credentials by the usual means of this cloud (environment, profile, metadata server).',
  'wrong-account': 'Use credentials of the account in `accountId`, or correct `accountId`.',
  'not-owned': 'It belongs to somebody else. Choose another name, or take it over with `"adopt": true`.',
  'object-differs':
    'It is not the kind of object this target manages; correct it by hand or choose another one.',
  'target-full':
    'Nothing was added. Take rules away that nobody needs, or have the quota of the service raised.',
  'write-refused': 'This change would open the target far too wide, so the provider itself refuses it.',
  'bad-answer': 'The service answered with something that is no answer; nothing was concluded from it.',
  'request-refused': 'The service refused the request as it stands; its message says why.',
  'sdk-missing': 'Install the package named.',
  'state-locked': 'Another run is at work on this state; wait for it, or stop the process named.',
  'state-unusable': 'Check the permissions and the free space of the state folder.',
  'approval-unknown': 'Nothing was released: see `allowlist-sync held` for what waits now.',
  'channel-failed': 'Check the webhook of the channel; the alert is tried again at the next run.',
  'file-unreadable': 'Check the path (it is relative to the config file) and its permissions.',
  'demo-failed': 'Please report this with the output of `allowlist-sync demo --log-level debug`.',
  internal: 'This is a bug. Please report it with the output of the same command with `--log-level debug`.',
} as const;

const TRANSIENT = {
  'source-unreachable':
    'Nothing was changed; the next run tries again. Check network, proxy and DNS if it stays.',
  unreachable: 'The next run tries again. Check network, proxy and endpoint if it stays.',
  timeout: 'The next run tries again.',
  throttled: 'The service asks for fewer calls; the next run tries again.',
  'service-error': 'The service failed on its side; the next run tries again.',
  conflict: 'Somebody else changes the same object; the next run reads it afresh.',
  stopped: 'The run was told to stop; the next run goes on from here.',
  deadline: 'The run reached its deadline (`safety.deadline`); the next run goes on from here.',
} as const;

export type FatalCode = keyof typeof FATAL;
export type TransientCode = keyof typeof TRANSIENT;
export type ErrorCode = FatalCode | TransientCode;

/** How an error stands in a report: what, where (in the message), and what to do. */
export interface ErrorInfo {
  code: ErrorCode;
  message: string;
  hint: string;
}

interface Details {
  /** Better advice than the catalogue's, when the place knows more. */
  hint?: string;
  cause?: unknown;
}

/** An error of the catalogue. Its message names the thing and the place and holds no secret. */
export abstract class CatalogueError extends Error {
  abstract readonly transient: boolean;
  readonly code: ErrorCode;
  readonly hint: string;

  constructor(code: ErrorCode, message: string, details: Details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = details.hint ?? hintFor(code);
  }
}

/** Trying again cannot help: somebody has to do something. */
export class FatalError extends CatalogueError {
  readonly transient = false;

  constructor(code: FatalCode, message: string, details?: Details) {
    super(code, message, details);
  }
}

/** Trying again later may help. */
export class TransientError extends CatalogueError {
  readonly transient = true;
  /** What the service asked for (`Retry-After`, the minute that refills a quota), in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(code: TransientCode, message: string, details: Details & { retryAfterMs?: number } = {}) {
    super(code, message, details);
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** A lost race: what was planned no longer fits what is there. Read again and plan again; never retry as it is. */
export class ConflictError extends CatalogueError {
  readonly transient = true;

  constructor(message: string, details?: Details) {
    super('conflict', message, details);
  }
}

export function hintFor(code: ErrorCode): string {
  return { ...FATAL, ...TRANSIENT }[code];
}

export const ERROR_CODES: readonly ErrorCode[] = Object.keys({ ...FATAL, ...TRANSIENT }) as ErrorCode[];

/** Anything thrown, as the report shows it. What is not of the catalogue is a bug of ours and says so. */
export function errorInfo(error: unknown): ErrorInfo {
  if (error instanceof CatalogueError) return { code: error.code, message: error.message, hint: error.hint };
  return { code: 'internal', message: messageOf(error), hint: hintFor('internal') };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
