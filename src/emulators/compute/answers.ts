import type { EmulatorResponse } from '../server.ts';

/** One refusal of the Compute Engine API; thrown inside the emulator and answered as the API words it. */
export class ApiError extends Error {
  readonly status: number;
  readonly reason: string;
  readonly domain: string;

  constructor(status: number, reason: string, message: string, domain = 'global') {
    super(message);
    this.status = status;
    this.reason = reason;
    this.domain = domain;
  }
}

/** 400 for one field. Wording: https://github.com/crowdsecurity/cs-cloud-firewall-bouncer/issues/5 */
export function invalidField(path: string, value: unknown, rule: string): ApiError {
  const shown = typeof value === 'string' ? value : JSON.stringify(value);
  return new ApiError(400, 'invalid', `Invalid value for field 'resource.${path}': '${shown}'. ${rule}`);
}

/** https://docs.cloud.google.com/compute/docs/troubleshooting/troubleshooting-api-errors (404, `notFound`) */
export function notFound(path: string): ApiError {
  return new ApiError(404, 'notFound', `The resource '${path}' was not found`);
}

/** https://docs.cloud.google.com/compute/docs/troubleshooting/troubleshooting-api-errors (409, `alreadyExists`) */
export function alreadyExists(path: string): ApiError {
  return new ApiError(409, 'alreadyExists', `The resource '${path}' already exists`);
}

/** As recorded in https://github.com/forseti-security/forseti-security/pull/3424 */
export function forbidden(permission: string, path: string): ApiError {
  return new ApiError(403, 'forbidden', `Required '${permission}' permission for '${path}'`);
}

/** The API's own words when it has no time for a request now. */
export function refusal(kind: 'server-error' | 'unavailable' | 'throttle'): EmulatorResponse {
  switch (kind) {
    case 'throttle':
      // A throttled call is a 403: https://docs.cloud.google.com/compute/api-quota
      return failure(new ApiError(403, 'rateLimitExceeded', 'Rate Limit Exceeded', 'usageLimits'));
    case 'unavailable': {
      const busy = failure(
        new ApiError(503, 'backendError', 'Internal error. Please try again or contact Google Support.'),
      );
      return { ...busy, headers: { ...busy.headers, 'retry-after': '1' } };
    }
    default:
      return failure(new ApiError(500, 'internalError', 'Internal Error'));
  }
}

export function failure(error: ApiError): EmulatorResponse {
  const { status: code, message, domain, reason } = error;
  return json(code, { error: { code, message, errors: [{ message, domain, reason }] } });
}

export function json(status: number, body: unknown): EmulatorResponse {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=UTF-8' },
    body: JSON.stringify(body, null, 2),
  };
}
