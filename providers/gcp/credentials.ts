import type { GoogleAuth } from 'google-auth-library';
import { FatalError, messageOf, TransientError } from '../../src/errors.ts';
import type { Io } from '../provider.ts';

/** Where the Compute API is. */
export interface Endpoint {
  readonly protocol: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** An emulator on this machine: no credentials are looked for, none are sent. */
  readonly loopback: boolean;
}

const VARIABLE = 'CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE';

/**
 * The endpoint, overridden as gcloud does it. Throws `config-invalid` when the override is none: another path than
 * `/compute/v1/`, which the client cannot speak to, or plain http to another machine.
 * https://cloud.google.com/sdk/gcloud/reference/topic/configurations (`api_endpoint_overrides`)
 */
export function endpointOf(env: Io['env']): Endpoint {
  const text = env[VARIABLE];
  if (!text) return { protocol: 'https', host: 'compute.googleapis.com', port: 443, loopback: false };
  const refuse = (why: string): never => {
    throw new FatalError('config-invalid', `${VARIABLE} ${why}`, {
      hint: 'Such as http://127.0.0.1:9000/compute/v1/ for an emulator; unset it for the real service.',
    });
  };
  const url = URL.canParse(text) ? new URL(text) : refuse('is not a URL');
  const { protocol, hostname: host, pathname, username, password, search, hash, port } = url;
  if (protocol !== 'http:' && protocol !== 'https:') return refuse('must be an http or https URL');
  if (username || password || search || hash) return refuse('must be a URL without user, query and fragment');
  if (pathname !== '/compute/v1/' && pathname !== '/compute/v1')
    return refuse('must have the path /compute/v1/');
  const loopback = host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
  if (protocol === 'http:' && !loopback)
    return refuse(`must be https for ${host}: http is for loopback only`);
  return protocol === 'http:'
    ? { protocol: 'http', host, port: Number(port || 80), loopback }
    : { protocol: 'https', host, port: Number(port || 443), loopback };
}

/** Gives the headers that authorise a request to `url`. Throws `credentials-missing`, or transient errors. */
export type Credentials = (url: string) => Promise<Headers>;

/**
 * None for an emulator, else the token of `GOOGLE_OAUTH_ACCESS_TOKEN`, else Application Default Credentials, which are
 * looked for at the first request.
 * https://cloud.google.com/docs/authentication/application-default-credentials
 */
export function credentialsOf(
  endpoint: Endpoint,
  env: Io['env'],
  makeAuth: (scopes: string[]) => GoogleAuth,
): Credentials {
  if (endpoint.loopback) return async () => new Headers();
  const token = env.GOOGLE_OAUTH_ACCESS_TOKEN?.trim();
  if (token) {
    // Anything else could not stand in a header, and the error would show it.
    if (!/^[\x21-\x7e]+$/.test(token))
      throw new FatalError('credentials-missing', 'GOOGLE_OAUTH_ACCESS_TOKEN is not a token');
    return async () => new Headers({ authorization: `Bearer ${token}` });
  }
  const auth = makeAuth(['https://www.googleapis.com/auth/compute']);
  return async (url) => {
    try {
      // getRequestHeaders alone would do, but its failure leaves a second, unhandled rejection behind.
      const client = await auth.getClient();
      return await client.getRequestHeaders(url);
    } catch (error) {
      throw credentialError(error);
    }
  };
}

/** The library's own messages can quote a key file, so only what is known to be harmless is passed on. */
function credentialError(error: unknown): FatalError | TransientError {
  const message = messageOf(error);
  const status = error instanceof Error && 'status' in error ? Number(error.status) : Number.NaN;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const what = 'Application Default Credentials';
  const hint =
    'Run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_OAUTH_ACCESS_TOKEN.';
  if (/could not load the default credentials/i.test(message))
    return new FatalError('credentials-missing', `no ${what} were found`, { hint });
  if (/^E[A-Z]+$/.test(code) && code !== 'ENOENT' && code !== 'EACCES')
    return new TransientError('unreachable', `the token service of ${what} cannot be reached (${code})`);
  if (status >= 500) return new TransientError('service-error', `the token service answered HTTP ${status}`);
  const known = /invalid_grant|invalid_rapt|invalid_client|unauthorized_client|ENOENT|EACCES/.exec(
    message,
  )?.[0];
  const why = known ?? (Number.isFinite(status) ? `HTTP ${status}` : 'unreadable');
  return new FatalError('credentials-missing', `the ${what} could not be used (${why})`, { hint });
}
