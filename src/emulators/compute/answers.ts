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

// The wording is the catalogue's, https://docs.cloud.google.com/compute/docs/reference/rest/v1/errors, or else that of
// a recorded answer; the reasons in `errors[].reason` are those of the recorded answers.

/** INVALID_FIELD_VALUE. As recorded in https://github.com/GoogleCloudPlatform/deploymentmanager-samples/issues/23 */
export function invalidField(path: string, value: unknown, rule: string): ApiError {
  return invalid(`resource.${path}`, value, rule);
}

/** The same for a parameter of the request. */
export function invalidParameter(name: string, value: unknown, rule: string): ApiError {
  return invalid(name, value, rule);
}

function invalid(field: string, value: unknown, rule: string): ApiError {
  return new ApiError(400, 'invalid', `Invalid value for field '${field}': '${value}'. ${rule}`);
}

/** MISSING_REQUIRED_FIELD of the catalogue. */
export function missingField(field: string): ApiError {
  return new ApiError(400, 'required', `Required field '${field}' not specified`);
}

/** PROJECT_NOT_FOUND and its like. As recorded in https://github.com/skyplane-project/skyplane/issues/683 */
export function notFound(path: string): ApiError {
  return new ApiError(404, 'notFound', `The resource '${path}' was not found`);
}

/** As recorded in https://github.com/mesosphere-backup/terraform-dcos/issues/23 */
export function alreadyExists(path: string): ApiError {
  return new ApiError(409, 'alreadyExists', `The resource '${path}' already exists`);
}

/** PERMISSIONS_ERROR. As recorded in https://github.com/forseti-security/forseti-security/pull/3424 */
export function forbidden(permission: string, path: string): ApiError {
  return new ApiError(403, 'forbidden', `Required '${permission}' permission for '${path}'`);
}

/** The API's own words when it has no time for a request now. */
export function refusal(kind: 'server-error' | 'unavailable' | 'throttle'): EmulatorResponse {
  switch (kind) {
    case 'throttle':
      return failure(new ApiError(403, 'rateLimitExceeded', THROTTLED, 'usageLimits'));
    case 'unavailable': {
      const busy = failure(new ApiError(503, 'backendError', BUSY));
      return { ...busy, headers: { ...busy.headers, 'retry-after': '1' } };
    }
    default:
      return failure(new ApiError(500, 'backendError', BUSY));
  }
}

/**
 * A 403, never a 429: https://docs.cloud.google.com/compute/docs/api-rate-limits
 * As recorded in https://github.com/hashicorp/terraform-provider-google/issues/8360
 */
const THROTTLED =
  "Quota exceeded for quota group 'default' and limit 'Queries per 100 seconds' of service 'compute.googleapis.com' for consumer 'project_number:123456'.";

/** As recorded in https://github.com/ansible/ansible/issues/61515 */
const BUSY =
  "Internal error. Please try again or contact Google Support. (Code: '5913B7676272E.AC29531.6D091185')";

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
