import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Compute, startCompute } from '../../../src/emulators/compute/index.ts';
import { clientsOf, refusalOf } from './client.ts';

let compute: Compute;
let clients: ReturnType<typeof clientsOf>;

beforeAll(async () => {
  compute = await startCompute({ now: () => Date.parse('2026-01-02T03:04:05Z') });
  clients = clientsOf(compute);
});
afterAll(() => compute.close());

const tcp = [{ IPProtocol: 'tcp', ports: ['5432'] }];
const ranges = ['203.0.113.7/32'];

test('an inserted rule is given back with every default filled in', async () => {
  const project = 'defaults';
  await clients.done(
    clients.firewalls.insert({
      project,
      firewallResource: { name: 'allow', allowed: tcp, sourceRanges: ranges },
    }),
    project,
  );
  const response = await fetch(`${compute.url}/compute/v1/projects/defaults/global/firewalls/allow`);
  expect(response.headers.get('content-type')).toBe('application/json; charset=UTF-8');
  expect(await response.json()).toEqual({
    kind: 'compute#firewall',
    id: expect.stringMatching(/^\d{19}$/),
    creationTimestamp: '2026-01-02T03:04:05.000+00:00',
    name: 'allow',
    network: 'https://www.googleapis.com/compute/v1/projects/defaults/global/networks/default',
    priority: 1000,
    direction: 'INGRESS',
    allowed: [{ IPProtocol: 'tcp', ports: ['5432'] }],
    sourceRanges: ['203.0.113.7/32'],
    disabled: false,
    logConfig: { enable: false },
    selfLink: 'https://www.googleapis.com/compute/v1/projects/defaults/global/firewalls/allow',
  });
});

test('an ingress rule without any source is open to the world', async () => {
  const project = 'world';
  await clients.done(
    clients.firewalls.insert({ project, firewallResource: { name: 'open', allowed: tcp, sourceRanges: [] } }),
    project,
  );
  expect(compute.rule(project, 'open')?.sourceRanges).toEqual(['0.0.0.0/0']);
});

test.each([
  ['a source tag', { sourceTags: ['web'] }],
  ['a source service account', { sourceServiceAccounts: ['a@b.iam.gserviceaccount.com'] }],
])('an ingress rule with only %s gets no range', (_, source) => {
  expect(compute.insert('tags', { name: 'tagged', allowed: tcp, ...source })).not.toHaveProperty(
    'sourceRanges',
  );
  compute.remove('tags', 'tagged');
});

test('an egress rule without destination goes everywhere', () => {
  const rule = compute.insert('egress', {
    name: 'out',
    direction: 'EGRESS',
    denied: [{ IPProtocol: 'all' }],
  });
  expect(rule.destinationRanges).toEqual(['0.0.0.0/0']);
  expect(rule).not.toHaveProperty('sourceRanges');
});

test('patch replaces what is sent and keeps the rest', async () => {
  const project = 'patch';
  const before = compute.insert(project, {
    name: 'allow',
    description: 'mine',
    allowed: tcp,
    sourceRanges: ranges,
    targetTags: ['db'],
    logConfig: { enable: true, metadata: 'EXCLUDE_ALL_METADATA' },
  });
  await clients.done(
    clients.firewalls.patch({
      project,
      firewall: 'allow',
      firewallResource: { sourceRanges: ['198.51.100.0/24'], priority: 900, logConfig: { enable: false } },
    }),
    project,
  );
  expect(compute.rule(project, 'allow')).toEqual({
    ...before,
    sourceRanges: ['198.51.100.0/24'],
    priority: 900,
    logConfig: { enable: false, metadata: 'EXCLUDE_ALL_METADATA' },
  });
});

test('an empty list cannot be said through the client, whose patch drops it', async () => {
  const project = 'dropped';
  const fields = { name: 'allow', allowed: tcp, sourceRanges: ranges, targetTags: ['db'] };
  const before = compute.insert(project, fields);
  await clients.done(
    clients.firewalls.patch({
      project,
      firewall: 'allow',
      firewallResource: { targetTags: [], priority: 1000 },
    }),
    project,
  );
  expect(compute.rule(project, 'allow')).toEqual(before);
  const nothing = clients.firewalls.patch({
    project,
    firewall: 'allow',
    firewallResource: { sourceRanges: [] },
  });
  expect(await refusalOf(nothing)).toMatchObject({
    status: 400,
    reason: 'required',
    message: "Required field 'resource' not specified",
  });
});

test.each(['[]', 'null'])(
  'a patch that really says %s for the ranges opens the rule to the world',
  async (empty) => {
    const project = 'cleared';
    compute.insert(project, { name: 'allow', allowed: tcp, sourceRanges: ranges });
    const url = `${compute.url}/compute/v1/projects/${project}/global/firewalls/allow`;
    const response = await fetch(url, { method: 'PATCH', body: `{"sourceRanges":${empty}}` });
    const { name } = (await response.json()) as { name: string };
    await clients.done(Promise.resolve([{ latestResponse: { name } }]), project);
    expect(compute.rule(project, 'allow')?.sourceRanges).toEqual(['0.0.0.0/0']);
    compute.remove(project, 'allow');
  },
);

test('update replaces the whole rule, so that what is not sent is gone', async () => {
  const project = 'put';
  const before = compute.insert(project, {
    name: 'allow',
    description: 'mine',
    allowed: tcp,
    sourceRanges: ranges,
    targetTags: ['db'],
    priority: 900,
  });
  await clients.done(
    clients.firewalls.update({
      project,
      firewall: 'allow',
      firewallResource: { name: 'allow', allowed: tcp, sourceRanges: ranges },
    }),
    project,
  );
  const { description, targetTags, ...rest } = before;
  expect([description, targetTags]).toEqual(['mine', ['db']]);
  expect(compute.rule(project, 'allow')).toEqual({ ...rest, priority: 1000 });
});

test('update without ranges opens the rule to the world', async () => {
  const project = 'put-open';
  compute.insert(project, { name: 'allow', allowed: tcp, sourceRanges: ranges });
  await clients.done(
    clients.firewalls.update({
      project,
      firewall: 'allow',
      firewallResource: { name: 'allow', allowed: tcp },
    }),
    project,
  );
  expect(compute.rule(project, 'allow')?.sourceRanges).toEqual(['0.0.0.0/0']);
});

test('a rule that was read can be sent back as it is', async () => {
  const project = 'round-trip';
  const before = compute.insert(project, { name: 'allow', allowed: tcp, sourceRanges: ranges });
  const [read] = await clients.firewalls.get({ project, firewall: 'allow' });
  await clients.done(
    clients.firewalls.update({ project, firewall: 'allow', firewallResource: read }),
    project,
  );
  expect(compute.rule(project, 'allow')).toEqual(before);
});

test('a deleted rule is gone, and its name is free again', async () => {
  const project = 'delete';
  compute.insert(project, { name: 'allow', allowed: tcp, sourceRanges: ranges });
  await clients.done(clients.firewalls.delete({ project, firewall: 'allow' }), project);
  expect(compute.rules(project)).toEqual([]);
  compute.insert(project, { name: 'allow', allowed: tcp, sourceRanges: ranges });
});

test('IPv6 ranges are given back shortened, bare addresses as they were sent', () => {
  const v6 = compute.insert('forms', {
    name: 'v6',
    allowed: tcp,
    sourceRanges: ['2600:1900:0:0:0:0:0:0/64', '2600:BE4::1'],
  });
  expect(v6.sourceRanges).toEqual(['2600:1900::/64', '2600:be4::1/128']);
  const bare = compute.insert('forms', { name: 'bare', allowed: tcp, sourceRanges: ['203.0.113.7'] });
  expect(bare.sourceRanges).toEqual(['203.0.113.7']);
});

test('networks are there per project: default from the start, others when added', async () => {
  compute.addNetwork('nets', 'data');
  const networks = clients.networks();
  const [all] = await networks.list({ project: 'nets' });
  expect(all.map(({ name }) => name)).toEqual(['data', 'default']);
  expect((await networks.get({ project: 'nets', network: 'data' }))[0].selfLink).toBe(
    'https://www.googleapis.com/compute/v1/projects/nets/global/networks/data',
  );
  const missing = networks.get({ project: 'other', network: 'data' });
  expect(await refusalOf(missing)).toMatchObject({
    status: 404,
    message: "The resource 'projects/other/global/networks/data' was not found",
  });
});

test.each([
  'global/networks/data',
  'projects/urls/global/networks/data',
  'https://www.googleapis.com/compute/v1/projects/urls/global/networks/data',
  'https://compute.googleapis.com/compute/v1/projects/urls/global/networks/data',
])('a network may be named as %s', (network) => {
  compute.addNetwork('urls', 'data');
  const rule = compute.insert('urls', { name: 'allow', network, allowed: tcp, sourceRanges: ranges });
  expect(rule.network).toBe('https://www.googleapis.com/compute/v1/projects/urls/global/networks/data');
  compute.remove('urls', 'allow');
});
