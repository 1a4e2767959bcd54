import { onTestFinished } from 'vitest';
import { provider } from '../../../providers/aws/security-group.ts';
import { formatMarker, portBounds, type Service } from '../../../providers/provider.ts';
import { familyOf, toCidr } from '../../../src/cidr.ts';
import { type Ec2, type Permission, type Rule, startEc2 } from '../../../src/emulators/ec2/index.ts';
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
import { testIo } from '../../support/io.ts';

export const CAPABILITIES: Capabilities = {
  atomic: false,
  families: ['ipv4', 'ipv6'],
  ownership: 'entry',
  adopts: 'entry',
  supportsDescriptions: true,
};
export const SERVICES: readonly Service[] = [
  { protocol: 'tcp', ports: '5432' },
  { protocol: 'tcp', ports: '6432-6439' },
];
export const ALLOW = [{ protocol: 'tcp', ports: [5432, '6432-6439'] }];
export const NO_GROUP = 'sg-0fffffffffffffff0';

/** The environment that sends the adapter to `url`, with credentials that mean nothing. */
export function environment(url: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_EC2: url,
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'not-a-secret',
  };
}

/** A fresh group on an EC2 of its own. */
export async function emulatorFixture(): Promise<Fixture> {
  let plan: ((request: LoggedRequest) => Fault | undefined) | undefined;
  let look: ((allowed: readonly Allowed[]) => void) | undefined;
  const ec2 = await startEc2({
    fault: (request) => plan?.(request),
    observe: () => look?.(allowedBy(ec2, groupId)),
  });
  const groupId = ec2.createGroup({ name: 'orders' });
  return {
    provider,
    options: { region: 'us-west-2', groupId, allow: ALLOW },
    env: environment(ec2.url),
    services: SERVICES,
    missing: { options: { groupId: NO_GROUP }, mention: NO_GROUP },
    addByHand: async (cidr, service, marker) => {
      ec2.authorize(groupId, permission(cidr, service, marker && formatMarker(marker)));
    },
    removeByHand: async (cidr) => {
      for (const rule of inbound(ec2, groupId)) if (cidrOf(rule) === cidr) ec2.revoke(rule.id);
    },
    current: async () => allowedBy(ec2, groupId),
    onRequest: (callback) => {
      look = callback;
    },
    inject: (wanted) => {
      plan = wanted;
    },
    close: () => ec2.close(),
  };
}

export function permission(cidr: string, service: Service, description?: string): Permission {
  const [fromPort, toPort] = portBounds(service.ports);
  const family = familyOf(toCidr(cidr));
  return {
    protocol: service.protocol ?? '-1',
    fromPort,
    toPort,
    ...(family === 'ipv4' ? { cidrIpv4: cidr } : { cidrIpv6: cidr }),
    ...(description !== undefined && { description }),
  };
}

export function inbound(ec2: Ec2, groupId: string): Rule[] {
  return ec2.rules(groupId).filter(({ isEgress }) => !isEgress);
}

function allowedBy(ec2: Ec2, groupId: string): Allowed[] {
  return inbound(ec2, groupId).map((rule) => ({
    cidr: cidrOf(rule),
    protocol: rule.protocol,
    ports: rule.fromPort === rule.toPort ? `${rule.fromPort}` : `${rule.fromPort}-${rule.toPort}`,
  }));
}

function cidrOf(rule: Rule): string {
  return rule.cidrIpv4 ?? rule.cidrIpv6 ?? '';
}

/** The adapter opened on a group, and the calls it makes. */
export async function openGroup(url: string, groupId: string, extra: Record<string, unknown> = {}) {
  const io = testIo({ env: environment(url) });
  const options = provider.options.parse({ region: 'us-west-2', groupId, allow: ALLOW, ...extra });
  const opened = await provider.open({ identity: US, options, baseDir: '/' }, io);
  return { opened, io };
}

/** An EC2 for one test that answers every request with what `answer` gives. */
export async function scripted(
  answer: (action: string, nth: number, request: EmulatorRequest) => EmulatorResponse,
): Promise<Emulator> {
  let nth = 0;
  const actionOf = (body: string) => new URLSearchParams(body).get('Action') ?? '';
  const emulator = await startEmulator({
    describe: ({ body }) => ({ operation: actionOf(body), writes: !actionOf(body).startsWith('Describe') }),
    handle: (request) => answer(actionOf(request.body), nth++, request),
    refuse: () => ({ status: 500, body: '' }),
  });
  onTestFinished(() => emulator.close());
  return emulator;
}

/** One page of rules: the fields of each rule over those of an ordinary one; undefined leaves a field out. */
export function page(rules: readonly Record<string, string | undefined>[], token?: string): EmulatorResponse {
  const items = rules.map((rule, index) => {
    const fields = { ...ordinary(index), ...rule };
    const xml = Object.entries(fields).map(([name, value]) => (value === undefined ? '' : tag(name, value)));
    return tag('item', xml.join(''));
  });
  const next = token === undefined ? '' : tag('nextToken', token);
  return answer('DescribeSecurityGroupRules', tag('securityGroupRuleSet', items.join('')) + next);
}

export function answer(action: string, body: string): EmulatorResponse {
  return { status: 200, headers: { 'content-type': 'text/xml' }, body: tag(`${action}Response`, body) };
}

export function refusal(
  code: string,
  message: string,
  status = 400,
  headers: Record<string, string> = {},
): EmulatorResponse {
  const error = tag('Errors', tag('Error', tag('Code', code) + tag('Message', message)));
  return { status, headers, body: tag('Response', error) };
}

/** The group of every scripted answer. */
export const GROUP = 'sg-0a1b2c3d4e5f60718';

function ordinary(index: number): Record<string, string> {
  return {
    securityGroupRuleId: `sgr-${index}`,
    groupId: GROUP,
    groupOwnerId: '123456789012',
    isEgress: 'false',
    ipProtocol: 'tcp',
    fromPort: '5432',
    toPort: '5432',
    cidrIpv4: `34.19.100.${index}/32`,
  };
}

function tag(name: string, content: string): string {
  return `<${name}>${content}</${name}>`;
}
