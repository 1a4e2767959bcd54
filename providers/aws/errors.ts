/** AWS's errors, turned into those of the catalogue; the only place that knows their codes. */
import { z } from 'zod';
import { CatalogueError, ConflictError, FatalError, TransientError } from '../../src/errors.ts';

/** What was tried, as messages show it. */
export interface Call {
  /** The permission it takes, such as `ec2:DescribeSecurityGroupRules`. */
  readonly permission: string;
  /** The object and its place, such as `security group sg-… (us-west-2, account 123456789012)`. */
  readonly where: string;
}

/**
 * Gives the error of the catalogue for whatever a call threw: a service exception, a socket error, a parse error.
 * Only the first line of AWS's message is shown, since the others quote requests and tokens.
 */
export function translate(cause: unknown, call: Call, signal?: AbortSignal): CatalogueError {
  if (cause instanceof CatalogueError) return cause;
  if (signal?.aborted) {
    if (signal.reason instanceof CatalogueError) return signal.reason;
    return new TransientError('timeout', `no answer to ${call.permission} on ${call.where} in time`, {
      cause,
    });
  }
  const fault = faultOf(cause);
  return byCode(fault, call, cause) ?? byTransport(fault, call, cause);
}

/** One line without control characters, fit for a message. */
export function oneLine(text: string): string {
  const first = text.split('\n')[0] ?? '';
  const short = first.replace(/\s*Encoded authorization failure message:.*$/, '').replace(/\p{Cc}+/gu, ' ');
  return short.length > LONGEST ? `${short.slice(0, LONGEST)}…` : short;
}

const LONGEST = 400;

interface Fault {
  /** AWS's code; the SDK says `Unknown` where an error answer had none. */
  readonly name: string;
  readonly message: string;
  /** A code of the operating system or of TLS, such as ECONNREFUSED. */
  readonly system: string | undefined;
  readonly status: number | undefined;
  readonly retryAfter: { retryAfterMs?: number };
}

/** By AWS's own codes: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html */
function byCode(fault: Fault, { permission, where }: Call, cause: unknown): CatalogueError | undefined {
  const { name, message, retryAfter } = fault;
  const said = `${name}: ${message}`;
  switch (KINDS.get(name)) {
    case 'throttled':
      return new TransientError('throttled', `AWS throttles ${permission} on ${where} (${said})`, {
        cause,
        ...retryAfter,
      });
    case 'lostRace':
      return new ConflictError(`${where} is not as it was read (${said})`, { cause });
    case 'denied': {
      // The message knows better when something on the way was denied (the role of a profile).
      const needed = /not authorized to perform: ([a-z0-9-]+:\w+)/.exec(message)?.[1] ?? permission;
      const hint = `Grant ${needed} to these credentials; the README has the exact policy.`;
      return new FatalError('permission-missing', `no permission ${needed} on ${where} (${said})`, {
        hint,
        cause,
      });
    }
    case 'missing':
      return new FatalError('target-missing', `${where} does not exist (${said})`, { cause });
    case 'full':
      return new FatalError('target-full', `${where} has no room for these rules (${said})`, { cause });
    case 'noCredentials':
      return new FatalError('credentials-missing', `no AWS credentials for ${where} (${message})`, { cause });
    case 'badCredentials':
      // Without the message: that of a wrong signature quotes the whole request.
      return new FatalError(
        'credentials-missing',
        `AWS does not accept the credentials for ${where} (${name})`,
        {
          cause,
        },
      );
    default:
      return undefined;
  }
}

function byTransport(fault: Fault, { permission, where }: Call, cause: unknown): CatalogueError {
  const { name, message, system, status, retryAfter } = fault;
  const said = name === 'Unknown' ? `HTTP ${status} without an error code` : `${name}: ${message}`;
  if (status === 429)
    return new TransientError('throttled', `AWS throttles ${permission} on ${where} (${said})`, {
      cause,
      ...retryAfter,
    });
  if (status !== undefined && status >= 500)
    return new TransientError('service-error', `AWS failed at ${permission} on ${where} (${said})`, {
      cause,
      ...retryAfter,
    });
  if (system !== undefined || name === 'TimeoutError' || name === 'AbortError')
    return new TransientError(
      'unreachable',
      `AWS cannot be reached for ${permission} on ${where} (${message})`,
      {
        cause,
      },
    );
  if (status === undefined)
    return new FatalError('internal', `${permission} on ${where} failed (${said})`, { cause });
  if (status < 300) return noAnswer({ permission, where }, message, cause);
  return name === 'Unknown'
    ? new FatalError('bad-answer', `AWS answered ${permission} on ${where} with ${said}`, { cause })
    : new FatalError('request-refused', `AWS refused ${permission} on ${where} (${said})`, { cause });
}

/**
 * A success whose body is no answer: empty, cut, or somebody else's page. Transient, since a proxy or a broken
 * connection makes such bodies and trying again is safe; nothing is concluded from it.
 */
export function noAnswer({ permission, where }: Call, found: string, cause?: unknown): TransientError {
  return new TransientError('service-error', `the answer to ${permission} on ${where} is none: ${found}`, {
    ...(cause !== undefined && { cause }),
  });
}

const thrown = z.object({
  name: z.string().catch(''),
  message: z.string().catch(''),
  code: z.string().optional().catch(undefined),
  $metadata: z.object({ httpStatusCode: z.number().optional() }).optional().catch(undefined),
  $response: z
    .object({ headers: z.record(z.string(), z.string()) })
    .optional()
    .catch(undefined),
});

function faultOf(cause: unknown): Fault {
  const parsed = thrown.safeParse(cause);
  if (!parsed.success)
    return {
      name: 'Error',
      message: oneLine(String(cause)),
      system: undefined,
      status: undefined,
      retryAfter: {},
    };
  const { name, message, code, $metadata, $response } = parsed.data;
  return {
    name,
    message: oneLine(message),
    system: code,
    status: $metadata?.httpStatusCode,
    retryAfter: retryAfterOf($response?.headers['retry-after']),
  };
}

/** Seconds only; the header's other form, a date, would need a clock, and AWS does not send it. */
function retryAfterOf(header: string | undefined): { retryAfterMs?: number } {
  return header && /^\d{1,5}$/.test(header) ? { retryAfterMs: Number(header) * 1000 } : {};
}

const CODES = {
  throttled: [
    'RequestLimitExceeded',
    'Throttling',
    'ThrottlingException',
    'ThrottledException',
    'EC2ThrottledException',
    'TooManyRequestsException',
    'RequestThrottled',
    'RequestThrottledException',
    'SlowDown',
    'BandwidthLimitExceeded',
  ],
  lostRace: [
    'InvalidPermission.Duplicate',
    'InvalidPermission.NotFound',
    'InvalidSecurityGroupRuleId.NotFound',
  ],
  denied: ['UnauthorizedOperation', 'AccessDenied', 'AccessDeniedException'],
  missing: ['InvalidGroup.NotFound', 'InvalidGroupId.Malformed', 'InvalidSecurityGroupID.NotFound'],
  full: ['RulesPerSecurityGroupLimitExceeded'],
  noCredentials: ['CredentialsProviderError', 'TokenProviderError'],
  badCredentials: [
    'AuthFailure',
    'InvalidClientTokenId',
    'UnrecognizedClientException',
    'ExpiredToken',
    'ExpiredTokenException',
    'RequestExpired',
    'SignatureDoesNotMatch',
    'IncompleteSignature',
    'MissingAuthenticationToken',
  ],
} as const;

/** The kind of a code, by name. */
const KINDS: ReadonlyMap<string, keyof typeof CODES> = new Map(
  (
    ['throttled', 'lostRace', 'denied', 'missing', 'full', 'noCredentials', 'badCredentials'] as const
  ).flatMap((kind) => CODES[kind].map((code): [string, typeof kind] => [code, kind])),
);
