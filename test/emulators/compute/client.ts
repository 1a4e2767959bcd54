import { FirewallsClient } from '@google-cloud/compute/build/src/v1/firewalls_client.js';
import { GlobalOperationsClient } from '@google-cloud/compute/build/src/v1/global_operations_client.js';
import { NetworksClient } from '@google-cloud/compute/build/src/v1/networks_client.js';
import { PassThroughClient } from 'google-auth-library';
import { z } from 'zod';
import type { Compute } from '../../../src/emulators/compute/index.ts';

/** The vendor's own clients, pointed at an emulator. Each costs 0.4 s: make them once a file. */
export function clientsOf(compute: Compute) {
  const { hostname, port } = new URL(compute.url);
  const options = {
    apiEndpoint: hostname,
    port: Number(port),
    protocol: 'http',
    authClient: new PassThroughClient(),
  };
  const firewalls = new FirewallsClient(options);
  const operations = new GlobalOperationsClient(options);

  /** Waits until the operation that `call` started is done, and gives what it ended as. */
  async function done(call: Promise<unknown>, project: string) {
    const operation = operationName(await call);
    for (;;) {
      const [answer] = await operations.wait({ project, operation });
      if (answer.status === 'DONE') return answer;
    }
  }

  return { firewalls, operations, networks: () => new NetworksClient(options), done };
}

const started = z.tuple([z.object({ latestResponse: z.object({ name: z.string() }) })], z.unknown());

/** The name of the operation that a write of the client started. */
export function operationName(answer: unknown): string {
  return started.parse(answer)[0].latestResponse.name;
}

const refusal = z.object({
  error: z.object({
    code: z.number(),
    message: z.string(),
    errors: z.array(z.object({ message: z.string(), domain: z.string(), reason: z.string() })).length(1),
  }),
});

/** How the API refused a call: the error's body is the message of what the client throws. */
export async function refusalOf(call: Promise<unknown>) {
  const error = await call.then(
    () => {
      throw new TypeError('nothing was refused');
    },
    (reason: unknown) => reason,
  );
  const { code, message } = z.object({ code: z.coerce.number(), message: z.string() }).parse(error);
  const body = refusal.parse(JSON.parse(message)).error;
  return { status: code, ...body.errors[0], code: body.code };
}
