/**
 * The way to the Compute API for every adapter of this folder: the SDK loaded late, one HTTP request at a time, every
 * answer looked at before it is decoded, and every failure turned into an error of the catalogue.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { FirewallsClient } from '@google-cloud/compute/build/src/v1/firewalls_client.js';
import type { GlobalOperationsClient } from '@google-cloud/compute/build/src/v1/global_operations_client.js';
import type { PassThroughClient } from 'google-auth-library';
import { CatalogueError, FatalError, messageOf, TransientError } from '../../src/errors.ts';
import type { Io } from '../provider.ts';
import { type Credentials, credentialsOf, endpointOf } from './credentials.ts';
import { type Call, HttpFailure, oneLine, operationFailure, operationSchema, refusal } from './errors.ts';
import { leanGax } from './lean.ts';

type HttpOptions = Parameters<PassThroughClient['request']>[0];
type HttpResponse<T> = Awaited<ReturnType<typeof PassThroughClient.prototype.request<T>>>;

export interface Compute {
  /** One HTTP request: `send` makes exactly one call of the client. Throws errors of the catalogue only. */
  request<T>(call: Call, send: (client: FirewallsClient) => Promise<T>): Promise<T>;
  /**
   * Waits until the operation that a write answered with is done. Throws what it failed with.
   * https://cloud.google.com/compute/docs/reference/rest/v1/globalOperations/wait
   */
  settle(answered: unknown, project: string, call: Call): Promise<void>;
}

/** Loads the SDK and makes the client; no request yet. Throws `config-invalid` and `sdk-missing`. */
export async function openCompute(io: Io): Promise<Compute> {
  const endpoint = endpointOf(io.env);
  const { GoogleAuth, PassThroughClient, FirewallsClient, GlobalOperationsClient, gax } = await loadSdk();
  const credentials = credentialsOf(endpoint, io.env, (scopes) => new GoogleAuth({ scopes }));
  /** The client's HTTP: every request of it comes through here, once, without retries. */
  class Wire extends PassThroughClient {
    override async request<T>(options: HttpOptions): Promise<HttpResponse<T>> {
      const signal = IN_FLIGHT.getStore() ?? AbortSignal.abort();
      const headers = new Headers(options.headers);
      for (const [name, value] of await authorised(credentials, String(options.url), signal))
        headers.set(name, value);
      const { agent, ...rest } = options;
      const response = await this.transporter.request<string>({
        ...rest,
        // The client's own agent knows no proxy; without it HTTPS_PROXY is honoured.
        ...(endpoint.loopback ? { agent } : {}),
        headers,
        signal,
        responseType: 'text',
        retry: false,
        validateStatus: () => true,
      });
      return decodable(response);
    }
  }

  const options = {
    authClient: new Wire(),
    apiEndpoint: endpoint.host,
    port: endpoint.port,
    protocol: endpoint.protocol,
    fallback: true,
  };
  const firewalls = new FirewallsClient({ ...options }, gax);
  // Only writes need it, and it costs as much again.
  let operations: GlobalOperationsClient | undefined;

  function request<T>(call: Call, send: () => Promise<T>): Promise<T> {
    return io.request(call.operation, (signal) =>
      IN_FLIGHT.run(signal, async () => {
        try {
          return await send();
        } catch (error) {
          throw translate(error, call, signal);
        }
      }),
    );
  }

  return {
    request: (call, send) => request(call, () => send(firewalls)),
    async settle(answered, project, call) {
      let operation = parseOperation(answered, call);
      for (let pause = 250; operation.status !== 'DONE'; pause = Math.min(pause * 2, 5_000)) {
        operations ??= new GlobalOperationsClient({ ...options }, gax);
        const client = operations;
        const { name } = operation;
        const waiting = {
          operation: 'globalOperations.wait',
          object: `projects/${project}/global/operations/${name}`,
          permission: 'compute.globalOperations.get',
        };
        const [next] = await request(waiting, () => client.wait({ project, operation: name }));
        operation = parseOperation(next, waiting);
        // It may answer before the operation is done, and then at once.
        if (operation.status !== 'DONE') await io.sleep(pause);
      }
      const failure = operationFailure(operation, call);
      if (failure) throw failure;
    },
  };
}

/**
 * The client hands no signal through; it goes round it, bound to the call it belongs to. One for all clients: Node keeps
 * each that was ever used, and makes every promise of the process pay for it.
 */
const IN_FLIGHT = new AsyncLocalStorage<AbortSignal>();

/** By subpath: the index of the package would load the clients of all services. */
async function loadSdk() {
  try {
    const [auth, firewalls, operations, gax] = await Promise.all([
      import('google-auth-library'),
      import('@google-cloud/compute/build/src/v1/firewalls_client.js'),
      import('@google-cloud/compute/build/src/v1/global_operations_client.js'),
      import('google-gax'),
    ]);
    return { ...auth, ...firewalls, ...operations, gax: leanGax(gax.fallback) };
  } catch (cause) {
    throw new FatalError(
      'sdk-missing',
      `@google-cloud/compute cannot be loaded: ${oneLine(messageOf(cause))}`,
      {
        hint: 'npm install @google-cloud/compute google-auth-library google-gax',
        cause,
      },
    );
  }
}

/** Token services know nothing of the call's signal. */
async function authorised(credentials: Credentials, url: string, signal: AbortSignal): Promise<Headers> {
  signal.throwIfAborted();
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([credentials(url), aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/**
 * The answer for the client to decode. Throws {@link HttpFailure} for all but success, and `service-error` for a body
 * that is no JSON object: the page of a proxy, or an answer cut short.
 */
function decodable<T>(response: HttpResponse<string>): HttpResponse<T> {
  const { status, headers, config, data: text } = response;
  if (status < 200 || status > 299) throw new HttpFailure(status, text, headers);
  let data: T;
  try {
    data = JSON.parse(text);
  } catch (cause) {
    throw new TransientError('service-error', `HTTP ${status} with a body that is no JSON`, { cause });
  }
  return Object.assign(new Response(text, { status }), { config, data });
}

function translate(error: unknown, call: Call, signal: AbortSignal): CatalogueError {
  const where = `${call.operation} on ${call.object}`;
  if (signal.aborted) {
    if (signal.reason instanceof CatalogueError) return signal.reason;
    return new TransientError('timeout', `${where}: no answer in time`);
  }
  if (error instanceof HttpFailure) return refusal(error, call);
  if (error instanceof TransientError && error.code === 'service-error')
    return new TransientError('service-error', `${where}: ${error.message}`, { cause: error });
  if (error instanceof CatalogueError) return error;
  const code = networkCode(error);
  if (code) return new TransientError('unreachable', `${where}: ${code}`, { cause: error });
  return new FatalError('bad-answer', `${where}: ${oneLine(messageOf(error))}`, { cause: error });
}

/** The system's or the HTTP client's name for a connection that failed (`ECONNREFUSED`), wherever it is kept. */
function networkCode(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    const code = 'code' in at ? String(at.code) : '';
    if (/^(E[A-Z_]+|UND_ERR_\w+|ERR_(TLS|SSL|STREAM|SOCKET)_\w+|CERT_\w+|\w*CERT\w*)$/.test(code))
      return code;
    if (at.name === 'FetchError') return at.message;
  }
  return undefined;
}

function parseOperation(answered: unknown, call: Call) {
  const parsed = operationSchema.safeParse(answered);
  if (parsed.success) return parsed.data;
  throw new FatalError('bad-answer', `${call.operation} on ${call.object} was not answered by an operation`);
}
