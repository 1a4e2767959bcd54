import { onTestFinished } from 'vitest';
import { provider } from '../../../providers/gcp/firewall.ts';
import { formatMarker, type Identity, type Marker, type Service } from '../../../providers/provider.ts';
import { toCidr } from '../../../src/cidr.ts';
import {
  type Compute,
  type ComputeOptions,
  type FirewallResource,
  startCompute,
} from '../../../src/emulators/compute/index.ts';
import {
  type Emulator,
  type EmulatorRequest,
  type EmulatorResponse,
  type Fault,
  type LoggedRequest,
  startEmulator,
} from '../../../src/emulators/server.ts';
import { US } from '../../provider-suite.ts';
import type { Allowed, Capabilities, Fixture } from '../../support/fixture.ts';
import { type TestIoOptions, testIo } from '../../support/io.ts';

export const CAPABILITIES: Capabilities = {
  atomic: true,
  families: ['ipv4', 'ipv6'],
  ownership: 'object',
  adopts: 'object',
  supportsDescriptions: true,
  waits: ['globalOperations.wait'],
};
export const PROJECT = 'acme-data';
export const RULE = 'allow-community-cloud';
export const RULE_V6 = `${RULE}-v6`;
export const OURS = formatMarker({ owner: US.owner, target: US.target });
export const SERVICES: readonly Service[] = [
  { protocol: 'tcp', ports: '5432' },
  { protocol: 'tcp', ports: '6432-6439' },
];
const ALLOW = [{ protocol: 'tcp', ports: [5432, '6432-6439'] }];
export const ALLOWED = [{ IPProtocol: 'tcp', ports: ['5432', '6432-6439'] }];
export const OPTIONS = { project: PROJECT, rule: RULE, allow: ALLOW, targetTags: ['postgres'] };

export function environment(url: string): Record<string, string> {
  return { CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE: `${url}/compute/v1/` };
}

/** A Compute Engine of its own with nothing in it, and a person with the console. */
export async function emulatorFixture(): Promise<Fixture> {
  let plan: ((request: LoggedRequest) => Fault | undefined) | undefined;
  let look: ((allowed: readonly Allowed[]) => void) | undefined;
  const compute = await startCompute({
    project: PROJECT,
    fault: (request) => plan?.(request),
    observe: () => look?.(allowedBy(compute)),
  });
  return {
    provider,
    options: OPTIONS,
    env: environment(compute.url),
    services: SERVICES,
    missing: { options: { project: 'no-such-project' }, mention: 'no-such-project' },
    addByHand: async (cidr, _service, marker) => addRange(compute, cidr, marker),
    removeByHand: async (cidr) => {
      for (const rule of ourRules(compute)) removeRange(compute, rule, cidr);
    },
    current: async () => allowedBy(compute),
    onRequest: (callback) => {
      look = callback;
    },
    inject: (wanted) => {
      plan = wanted;
    },
    close: () => compute.close(),
  };
}

function addRange(compute: Compute, cidr: string, marker?: Marker): void {
  const name = cidr.includes(':') ? RULE_V6 : RULE;
  const rule = compute.rule(PROJECT, name);
  if (rule) {
    compute.edit(PROJECT, name, { sourceRanges: [...(rule.sourceRanges ?? []), cidr] });
    return;
  }
  compute.insert(PROJECT, {
    ...{ name, sourceRanges: [cidr], targetTags: ['postgres'] },
    ...(marker && { description: formatMarker(marker) }),
    allowed: [{ IPProtocol: 'tcp', ports: ['5432', '6432-6439'] }],
  });
}

function removeRange(compute: Compute, rule: FirewallResource, cidr: string): void {
  const left = (rule.sourceRanges ?? []).filter((range) => range !== cidr);
  if (left.length === rule.sourceRanges?.length) return;
  if (left.length === 0) compute.remove(PROJECT, rule.name);
  else compute.edit(PROJECT, rule.name, { sourceRanges: left });
}

function ourRules(compute: Compute): FirewallResource[] {
  return compute.rules(PROJECT).filter(({ name }) => name === RULE || name === RULE_V6);
}

function allowedBy(compute: Compute): Allowed[] {
  return ourRules(compute).flatMap(({ sourceRanges = [], allowed = [] }) =>
    sourceRanges.flatMap((text) =>
      allowed.flatMap(({ IPProtocol, ports = [] }) =>
        ports.map((port) => ({ cidr: toCidr(text), protocol: IPProtocol, ports: port })),
      ),
    ),
  );
}

/** A Compute Engine for one test. */
export async function emulator(options: ComputeOptions = {}): Promise<Compute> {
  const compute = await startCompute(options);
  onTestFinished(() => compute.close());
  return compute;
}

/** The adapter opened on a service, and the calls it makes. */
export async function openAt(
  url: string,
  extra: Record<string, unknown> = {},
  identity: Identity = US,
  io: TestIoOptions = {},
) {
  const lent = testIo({ env: environment(url), ...io });
  const options = provider.options.parse({ ...OPTIONS, ...extra });
  const opened = await provider.open({ identity, options, baseDir: '/' }, lent);
  return { opened, io: lent };
}

/** A service for one test that answers every request with what `answer` gives. */
export async function scripted(
  answer: (request: EmulatorRequest, nth: number) => EmulatorResponse,
): Promise<Emulator & { readonly received: readonly EmulatorRequest[] }> {
  const received: EmulatorRequest[] = [];
  const server = await startEmulator({
    describe: ({ method, url }) => ({ operation: `${method} ${url}`, writes: method !== 'GET' }),
    handle: (request) => answer(request, received.push(request) - 1),
    refuse: () => ({ status: 500, body: '' }),
  });
  onTestFinished(() => server.close());
  return { ...server, received };
}

export function json(body: unknown, status = 200, headers: Record<string, string> = {}): EmulatorResponse {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}
