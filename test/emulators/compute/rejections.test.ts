import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Compute, type FirewallFields, startCompute } from '../../../src/emulators/compute/index.ts';
import { clientsOf, refusalOf } from './client.ts';

let compute: Compute;
let clients: ReturnType<typeof clientsOf>;

beforeAll(async () => {
  compute = await startCompute({ project: 'acme' });
  clients = clientsOf(compute);
});
afterAll(() => compute.close());

const project = 'acme';
const good = {
  name: 'allow',
  allowed: [{ IPProtocol: 'tcp', ports: ['5432'] }],
  sourceRanges: ['203.0.113.7/32'],
};

function insert(fields: object) {
  return clients.firewalls.insert({ project, firewallResource: { ...good, ...fields } });
}

const invalid = (field: string, value: string, rule: string) =>
  `Invalid value for field 'resource.${field}': '${value}'. ${rule}`;
const NAME = "Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'";
const CIDR = 'Must be a valid CIDR address range.';
const PORTS = 'Invalid port range specification.';
const service = { sourceServiceAccounts: ['a@b.iam.gserviceaccount.com'], sourceRanges: [] };

test.each<[string, FirewallFields, string]>([
  ['an upper-case name', { name: 'Allow' }, invalid('name', 'Allow', NAME)],
  ['a name that ends in a dash', { name: 'allow-' }, invalid('name', 'allow-', NAME)],
  ['a name of 64', { name: 'a'.repeat(64) }, invalid('name', 'a'.repeat(64), NAME)],
  [
    'host bits',
    { sourceRanges: ['203.0.113.7/32', '203.0.113.7/24'] },
    invalid('sourceRanges[1]', '203.0.113.7/24', CIDR),
  ],
  ['IPv6 host bits', { sourceRanges: ['2600::1/64'] }, invalid('sourceRanges[0]', '2600::1/64', CIDR)],
  ['a range that is none', { sourceRanges: ['0.0.0.0./0'] }, invalid('sourceRanges[0]', '0.0.0.0./0', CIDR)],
  ['a prefix of 33', { sourceRanges: ['1.2.3.4/33'] }, invalid('sourceRanges[0]', '1.2.3.4/33', CIDR)],
  [
    'ranges of both families',
    { sourceRanges: ['203.0.113.7/32', '2600::/32'] },
    invalid(
      'sourceRanges[0]',
      '203.0.113.7/32',
      'IPv4 and IPv6 ranges cannot be combined in one firewall rule.',
    ),
  ],
  [
    'a priority over 65535',
    { priority: 65536 },
    invalid('priority', '65536', 'Must be less than or equal to 65535'),
  ],
  ['a negative priority', { priority: -1 }, invalid('priority', '-1', 'Must be greater than or equal to 0')],
  [
    'a port over 65535',
    { allowed: [{ IPProtocol: 'tcp', ports: ['22', '70000'] }] },
    invalid('allowed[0].ports[1]', '70000', PORTS),
  ],
  [
    'a port range backwards',
    { allowed: [{ IPProtocol: 'tcp', ports: ['9-8'] }] },
    invalid('allowed[0].ports[0]', '9-8', PORTS),
  ],
  [
    'ports that are none',
    { allowed: [{ IPProtocol: 'tcp', ports: ['0..65535'] }] },
    invalid('allowed[0].ports[0]', '0..65535', PORTS),
  ],
  [
    'ports of a protocol that has none',
    { allowed: [{ IPProtocol: 'icmp', ports: ['8'] }] },
    invalid('allowed[0].ports[0]', '8', 'Ports are allowed for TCP, UDP and SCTP only.'),
  ],
  [
    'an unknown protocol',
    { allowed: [{ IPProtocol: 'ipv6-icmp' }] },
    invalid(
      'allowed[0].IPProtocol',
      'ipv6-icmp',
      'Must be one of ["ah", "all", "esp", "icmp", "ipip", "sctp", "tcp", "udp"] or an IP protocol number between 0 and 255.',
    ),
  ],
  [
    'both allowed and denied',
    { denied: [{ IPProtocol: 'all' }] },
    invalid('allowed[0]', '', 'Should not specify both allowed and denied in the same time.'),
  ],
  ['neither allowed nor denied', { allowed: [] }, "Required field 'resource.allowed' not specified"],
  [
    'no protocol',
    { allowed: [{ ports: ['22'] }] },
    "Required field 'resource.allowed[0].IPProtocol' not specified",
  ],
  [
    'source tags on egress',
    { direction: 'EGRESS', sourceRanges: [], sourceTags: ['web'] },
    invalid('sourceTags', 'web', 'Must not be set for EGRESS firewall rules.'),
  ],
  [
    'tags beside service accounts',
    { ...service, targetTags: ['db'] },
    invalid('targetTags', 'db', 'Tags and service accounts cannot be used in one firewall rule.'),
  ],
  [
    'a network URL that is none',
    { network: 'default' },
    invalid('network', 'default', 'The URL is malformed. Must be a valid Network URL or partial URL.'),
  ],
  [
    'a network of another project',
    { network: 'projects/other/global/networks/default' },
    invalid(
      'network',
      'projects/other/global/networks/default',
      'Cross-project references for this resource type are not allowed.',
    ),
  ],
])('a rule with %s is refused with 400', async (_, fields, message) => {
  const reason = message.startsWith('Required') ? 'required' : 'invalid';
  expect(await refusalOf(insert(fields))).toEqual({
    status: 400,
    code: 400,
    message,
    domain: 'global',
    reason,
  });
  expect(compute.rules(project)).toEqual([]);
});

test.each([
  [
    'a rule that does not exist',
    () => clients.firewalls.get({ project, firewall: 'no' }),
    'global/firewalls/no',
  ],
  [
    'a patch of one',
    () => clients.firewalls.patch({ project, firewall: 'no', firewallResource: good }),
    'global/firewalls/no',
  ],
  [
    'an update of one',
    () => clients.firewalls.update({ project, firewall: 'no', firewallResource: good }),
    'global/firewalls/no',
  ],
  ['a removal of one', () => clients.firewalls.delete({ project, firewall: 'no' }), 'global/firewalls/no'],
  ['an unknown network', () => insert({ network: 'global/networks/no' }), 'global/networks/no'],
  [
    'an unknown operation',
    () => clients.operations.wait({ project, operation: 'no' }),
    'global/operations/no',
  ],
])('%s is refused with 404', async (_, call, path) => {
  expect(await refusalOf(call())).toEqual({
    status: 404,
    code: 404,
    message: `The resource 'projects/acme/${path}' was not found`,
    domain: 'global',
    reason: 'notFound',
  });
});

test('an unknown project is refused with 404 where one project was named', async () => {
  expect(await refusalOf(clients.firewalls.list({ project: 'other' }))).toMatchObject({
    status: 404,
    message: "The resource 'projects/other' was not found",
  });
});

test('a name that is taken is refused with 409, also while the first operation still runs', async () => {
  await insert({ name: 'twice' });
  expect(await refusalOf(insert({ name: 'twice' }))).toEqual({
    status: 409,
    code: 409,
    message: "The resource 'projects/acme/global/firewalls/twice' already exists",
    domain: 'global',
    reason: 'alreadyExists',
  });
  compute.remove(project, 'twice');
});

test.each([
  ['name', { name: 'other' }],
  ['direction', { direction: 'EGRESS', sourceRanges: [] }],
  ['network', { network: 'global/networks/other' }],
])('the %s of a rule cannot be changed', async (field, change) => {
  compute.addNetwork(project, 'other');
  compute.insert(project, good);
  const call = clients.firewalls.update({
    project,
    firewall: 'allow',
    firewallResource: { ...good, ...change },
  });
  expect(await refusalOf(call)).toMatchObject({
    status: 400,
    message: expect.stringContaining(`The ${field} of a firewall rule cannot be changed.`),
  });
  compute.remove(project, 'allow');
});

test.each([
  ['a body that is no JSON', '{', 'Parse Error'],
  ['a field that a rule has not', '{"fingerprint":"x"}', 'Unknown name "fingerprint"'],
  [
    'a field of another type',
    '{"sourceRanges":"1.2.3.4/32"}',
    "Invalid value for field 'resource.sourceRanges'",
  ],
  ['no body', '', "Required field 'resource' not specified"],
])('%s is refused with 400', async (_, body, message) => {
  const url = `${compute.url}/compute/v1/projects/acme/global/firewalls`;
  const response = await fetch(url, { method: 'POST', body });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining(message) } });
});

test('a path that the API does not have is refused with 404', async () => {
  expect((await fetch(`${compute.url}/compute/v1/projects/acme/zones`)).status).toBe(404);
  expect((await fetch(`${compute.url}/elsewhere`)).status).toBe(404);
  expect(compute.requests.at(-1)).toMatchObject({ operation: 'unknown', writes: false });
});
