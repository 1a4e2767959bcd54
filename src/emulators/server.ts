import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as an emulated service sees it. */
export interface EmulatorRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface EmulatorResponse {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body: string;
}

/** One line of the request log. */
export interface LoggedRequest {
  /** 0 for the first request of this emulator. */
  readonly index: number;
  /** The vendor's name of the operation (`DescribeSecurityGroupRules`, `firewalls.list`). */
  readonly operation: string;
  /** Whether the operation can change something. */
  readonly writes: boolean;
}

/** What goes wrong with one request. */
export interface Fault {
  readonly kind: 'reset' | 'hang' | 'server-error' | 'unavailable' | 'throttle' | 'garbage';
  /** `before`: nothing took effect. `after`: it took effect, and only the answer is lost. */
  readonly when: 'before' | 'after';
}

/** One emulated service behind {@link startEmulator}. */
export interface Service {
  /** Names a request for the log. */
  describe(request: EmulatorRequest): { operation: string; writes: boolean };
  handle(request: EmulatorRequest): EmulatorResponse;
  /** The service's own wording of a refusal. `unavailable` carries `Retry-After: 1`. */
  refuse(kind: 'server-error' | 'unavailable' | 'throttle'): EmulatorResponse;
}

export interface EmulatorOptions {
  /** 0, the default, takes a free port. Always on 127.0.0.1. */
  port?: number;
  /** Asked at every request which fault to play. */
  fault?: (request: LoggedRequest) => Fault | undefined;
  /** Called after each request took effect (or failed to), before it is answered: the place to check invariants. */
  observe?: (request: LoggedRequest) => void;
}

export interface Emulator {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string;
  readonly requests: readonly LoggedRequest[];
  close(): Promise<void>;
}

/** Serves one emulated service on loopback. Throws when the port is taken. */
export async function startEmulator(service: Service, options: EmulatorOptions = {}): Promise<Emulator> {
  const requests: LoggedRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    void answer(incoming, outgoing);
  });

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const request = await receive(incoming);
    if (!request) return;
    const logged = { index: requests.length, ...service.describe(request) };
    requests.push(logged);
    const fault = options.fault?.(logged);
    let response: EmulatorResponse | undefined;
    if (!fault || fault.when === 'after') response = service.handle(request);
    options.observe?.(logged);
    if (fault) response = spoil(fault.kind, service);
    if (response) outgoing.writeHead(response.status, response.headers).end(response.body);
    else if (fault?.kind === 'reset') incoming.socket.destroy();
    // A request that hangs is left open until the client gives up or the server closes.
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

/** The whole request, or undefined when the client went away in the middle of it. */
async function receive(incoming: IncomingMessage): Promise<EmulatorRequest | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
  } catch {
    return undefined;
  }
  const { method = 'GET', url = '/', headers } = incoming;
  return { method, url, headers, body: Buffer.concat(chunks).toString('utf8') };
}

function spoil(kind: Fault['kind'], service: Service): EmulatorResponse | undefined {
  switch (kind) {
    case 'reset':
    case 'hang':
      return undefined;
    case 'garbage':
      return { status: 200, headers: { 'content-type': 'text/html' }, body: '<html></html>' };
    default:
      return service.refuse(kind);
  }
}
