import { expect, test } from 'vitest';
import { provider } from '../../../providers/gcp/firewall.ts';
import { type Change, formatMarker, type Snapshot } from '../../../providers/provider.ts';
import { type Cidr, toCidr } from '../../../src/cidr.ts';
import { US } from '../../provider-suite.ts';
import { changesFor, converge, wantedOf } from '../../support/converge.ts';
import {
  ALLOWED,
  emulator,
  environment,
  OPTIONS,
  OURS,
  openAt,
  PROJECT,
  RULE,
  RULE_V6,
  SERVICES,
} from './fixture.ts';

const A = toCidr('34.19.100.134');
const B = toCidr('35.230.127.150');
const C = toCidr('34.83.176.0/24');
const V6 = toCidr('2600:1900:4010:8a0::/64');
const WAITS = ['globalOperations.wait', 'globalOperations.wait'];

const wanted = (...cidrs: Cidr[]) => wantedOf(cidrs, SERVICES);

function updates({ settings }: Snapshot): Change[] {
  return settings
    .filter(({ repair, actual, desired }) => repair && actual !== desired)
    .map((setting) => ({ action: 'update', setting }));
}

/** A project in which the target is in sync with these addresses. */
async function synced(extra: Record<string, unknown>, ...cidrs: Cidr[]) {
  const compute = await emulator();
  const { opened } = await openAt(compute.url, extra);
  await converge(opened, provider, US, wanted(...cidrs));
  const next = await openAt(compute.url, extra);
  return { compute, ...next, rule: (name = RULE) => compute.rule(PROJECT, name) };
}

test('the rule is made with all that the config says, and carries the marker', async () => {
  const { rule } = await synced({ priority: 900 }, A, V6);
  const common = {
    description: OURS,
    direction: 'INGRESS',
    priority: 900,
    allowed: ALLOWED,
    targetTags: ['postgres'],
    network: expect.stringMatching(/\/projects\/acme-data\/global\/networks\/default$/),
    disabled: false,
  };
  expect(rule()).toMatchObject({ ...common, sourceRanges: [A] });
  expect(rule(RULE_V6)).toMatchObject({ ...common, sourceRanges: [V6] });
});

test('a host project and its network are named by the config, and only that network is listed', async () => {
  const compute = await emulator();
  compute.addNetwork('host-project', 'shared');
  compute.insert('host-project', { name: 'other', allowed: ALLOWED, sourceRanges: ['0.0.0.0/0'] });
  const shared = { project: 'host-project', network: 'shared', targetTags: undefined };
  const { opened } = await openAt(compute.url, shared);
  await converge(opened, provider, US, wanted(A));
  expect(compute.rule('host-project', RULE)?.network).toContain('/host-project/global/networks/shared');
  expect((await opened.read()).beside).toEqual([]);
});

test('a change costs a list, a patch, the waits for it and a proving list', async () => {
  const { opened, io } = await synced({}, A, B);
  await converge(opened, provider, US, wanted(A, C));
  await opened.read();
  expect(io.operations).toEqual(['firewalls.list', 'firewalls.patch', ...WAITS, 'firewalls.list']);
});

test('a listing of many pages is read to its end', async () => {
  const compute = await emulator({ pageSize: 2 });
  for (const name of ['a', 'b', 'c', 'y', 'z'])
    compute.insert(PROJECT, { name, allowed: ALLOWED, sourceRanges: ['0.0.0.0/0'] });
  const { opened, io } = await openAt(compute.url);
  await converge(opened, provider, US, wanted(A));
  const { entries, beside } = await opened.read();
  expect(entries).toHaveLength(2);
  expect(new Set(beside.map(({ id }) => id))).toEqual(new Set(['a', 'b', 'c', 'y', 'z']));
  expect(io.operations.filter((name) => name === 'firewalls.list')).toHaveLength(6);
});

test('what a person does to the rule by hand is put right, field by field', async () => {
  const { compute, opened, rule } = await synced({}, A);
  const before = rule();
  const edits = [
    { allowed: [{ IPProtocol: 'tcp' }] },
    { priority: 5 },
    { targetTags: ['postgres', 'web'] },
    { targetTags: [] },
    { sourceTags: ['bastion'] },
    { targetTags: [], sourceServiceAccounts: ['a@b.iam.gserviceaccount.com'] },
    { targetTags: [], targetServiceAccounts: ['a@b.iam.gserviceaccount.com'] },
    { sourceRanges: [A, '0.0.0.0/0'] },
  ];
  for (const edit of edits) {
    compute.edit(PROJECT, RULE, edit);
    expect(changesFor(wanted(A), await opened.read(), US), JSON.stringify(edit)).not.toEqual([]);
    await converge(opened, provider, US, wanted(A));
    expect(rule()).toEqual(before);
    expect(changesFor(wanted(A), await opened.read(), US)).toEqual([]);
  }
});

test('a list that must become empty is put, with the logging that somebody switched on kept', async () => {
  const { compute, opened, io, rule } = await synced({}, A);
  compute.edit(PROJECT, RULE, { sourceTags: ['bastion'], logConfig: { enable: true } });
  await converge(opened, provider, US, wanted(A));
  expect(io.operations).toEqual(['firewalls.list', 'firewalls.get', 'firewalls.update', ...WAITS]);
  expect(rule()).toMatchObject({ logConfig: { enable: true }, sourceRanges: [A] });
  expect(rule()?.sourceTags).toBeUndefined();
});

test('a put that would undo what somebody did since the read is a conflict', async () => {
  const { compute, opened } = await synced({}, A);
  compute.edit(PROJECT, RULE, { sourceTags: ['bastion'] });
  const snapshot = await opened.read();
  compute.edit(PROJECT, RULE, { sourceRanges: [A, B] });
  await expect(opened.write(updates(snapshot), snapshot)).rejects.toMatchObject({ code: 'conflict' });
  expect(compute.rule(PROJECT, RULE)).toMatchObject({ sourceRanges: [A, B], sourceTags: ['bastion'] });
});

test('the last range of a family takes its rule with it, and the other family keeps its own', async () => {
  const { compute, opened, io } = await synced({}, A, V6);
  await converge(opened, provider, US, wanted(A));
  expect(compute.rules(PROJECT).map(({ name }) => name)).toEqual([RULE]);
  expect(io.operations).toEqual(['firewalls.list', 'firewalls.delete', ...WAITS]);
  await converge(opened, provider, US, []);
  expect(compute.rules(PROJECT)).toEqual([]);
});

test('a disabled rule is left so while its addresses are kept up to date, unless the config says otherwise', async () => {
  const { compute, opened, rule } = await synced({}, A);
  compute.edit(PROJECT, RULE, { disabled: true });
  await converge(opened, provider, US, wanted(A, B));
  expect(rule()).toMatchObject({ disabled: true, sourceRanges: [A, B] });
  expect((await opened.read()).warnings).toMatchObject([{ code: 'rule-disabled' }]);
  const willing = await openAt(compute.url, { repairDisabled: true });
  await converge(willing.opened, provider, US, wanted(A, B));
  expect(rule()).toMatchObject({ disabled: false });
});

test('a rule that is adopted is marked and gets what is missing; the rest of it becomes ours to remove', async () => {
  const compute = await emulator();
  compute.insert(PROJECT, { name: RULE, description: 'by hand', allowed: ALLOWED, sourceRanges: [A, C] });
  const stranger = (await openAt(compute.url)).opened;
  const seen = await stranger.read();
  const refusal = { code: 'not-owned', hint: expect.stringContaining('"adopt": true') };
  expect(seen.unowned).toMatchObject(refusal);
  await expect(stranger.write([], seen)).rejects.toMatchObject(refusal);
  const { opened } = await openAt(compute.url, { adopt: true });
  await converge(opened, provider, US, wanted(A, B));
  expect(compute.rule(PROJECT, RULE)).toMatchObject({ description: OURS, sourceRanges: [A, C, B].sort() });
  await converge(opened, provider, US, wanted(A, B));
  expect(compute.rule(PROJECT, RULE)?.sourceRanges).toEqual([A, B]);
});

test("another owner's rule is not adopted", async () => {
  const compute = await emulator();
  const description = formatMarker({ owner: 'somebody-else', target: US.target });
  compute.insert(PROJECT, { name: RULE, description, allowed: ALLOWED, sourceRanges: [A] });
  const { opened } = await openAt(compute.url, { adopt: true });
  await expect(opened.read()).rejects.toMatchObject({ code: 'not-owned' });
});

test('after a rename the marker is rewritten', async () => {
  const { compute } = await synced({}, A);
  const renamed = { ...US, target: 'new-name', previousNames: [US.target] };
  const { opened, io } = await openAt(compute.url, {}, renamed);
  await converge(opened, provider, renamed, wanted(A));
  expect(compute.rule(PROJECT, RULE)?.description).toBe(
    formatMarker({ owner: US.owner, target: 'new-name' }),
  );
  expect(io.operations).toEqual(['firewalls.list', 'firewalls.patch', ...WAITS]);
});

test('a rule of our name in another network is named as the reason, and not fought over', async () => {
  const compute = await emulator();
  compute.addNetwork(PROJECT, 'other');
  compute.insert(PROJECT, { name: RULE, network: 'global/networks/other', allowed: ALLOWED });
  const { opened } = await openAt(compute.url);
  const snapshot = await opened.read();
  await expect(opened.write(changesFor(wanted(A), snapshot, US), snapshot)).rejects.toMatchObject({
    code: 'object-differs',
    message: expect.stringContaining('network other'),
  });
});

test('a rule that appears or goes between read and write is a conflict, and the next pass gets it right', async () => {
  const compute = await emulator();
  const { opened } = await openAt(compute.url);
  const empty = await opened.read();
  compute.insert(PROJECT, { name: RULE, description: OURS, allowed: ALLOWED, sourceRanges: [B] });
  const add = changesFor(wanted(A), empty, US);
  await expect(opened.write(add, empty)).rejects.toMatchObject({ code: 'conflict' });
  const full = await opened.read();
  compute.remove(PROJECT, RULE);
  const patch = changesFor(wanted(A, B), full, US);
  const clear = changesFor([], full, US);
  await expect(opened.write(patch, full)).rejects.toMatchObject({ code: 'conflict' });
  await expect(opened.write(clear, full)).rejects.toMatchObject({ code: 'conflict' });
  await converge(opened, provider, US, wanted(A));
  expect(compute.rule(PROJECT, RULE)?.sourceRanges).toEqual([A]);
});

test('a network that does not exist is a missing target that is named', async () => {
  const compute = await emulator();
  const { opened } = await openAt(compute.url, { network: 'nowhere' });
  const snapshot = await opened.read();
  await expect(opened.write(changesFor(wanted(A), snapshot, US), snapshot)).rejects.toMatchObject({
    code: 'target-missing',
    message: expect.stringContaining('nowhere'),
  });
});

test('the same request id goes with every retry of one write, and another with the next write', async () => {
  const ids: (string | null)[] = [];
  let writes = 0;
  const compute = await emulator({
    fault: ({ writes: changes }) => {
      writes += changes ? 1 : 0;
      return changes && writes <= 2 ? { kind: 'reset', when: 'after' } : undefined;
    },
  });
  const { opened, io } = await openAt(compute.url, {}, US);
  const uuid = io.uuid;
  io.uuid = () => {
    const id = uuid();
    ids.push(id);
    return id;
  };
  await converge(opened, provider, US, wanted(A));
  await converge(opened, provider, US, wanted(A, B));
  expect(ids).toHaveLength(2);
  expect(new Set(ids).size).toBe(2);
  expect(io.operations.filter((name) => name === 'firewalls.insert')).toHaveLength(3);
  expect(compute.rule(PROJECT, RULE)?.sourceRanges).toEqual([A, B]);
});

test.each([
  ['RESOURCE_OPERATION_RATE_EXCEEDED', 'throttled', {}],
  ['RESOURCE_ALREADY_EXISTS', 'conflict', {}],
  ['RESOURCE_NOT_READY', 'conflict', {}],
  ['QUOTA_EXCEEDED', 'request-refused', { httpStatus: 403 }],
  ['PERMISSIONS_ERROR', 'permission-missing', { httpStatus: 403 }],
  ['INTERNAL_ERROR', 'service-error', { httpStatus: 500 }],
  ['INVALID_USAGE', 'request-refused', {}],
])('an operation that ends with %s is a failed write (%s)', async (code, expected, more) => {
  const compute = await emulator();
  const { opened } = await openAt(compute.url);
  const snapshot = await opened.read();
  compute.failNextOperation({ code, message: 'it did not work', ...more });
  await expect(opened.write(changesFor(wanted(A), snapshot, US), snapshot)).rejects.toMatchObject({
    code: expected,
    message: expect.stringContaining('it did not work'),
  });
});

test.each([
  ['compute.firewalls.list', true],
  ['compute.firewalls.create', false],
  ['compute.networks.updatePolicy', false],
  ['compute.globalOperations.get', false],
])('without %s the error names it', async (permission, reading) => {
  const compute = await emulator({ denied: [permission] });
  const { opened } = await openAt(compute.url);
  const missing = { code: 'permission-missing', hint: expect.stringContaining(permission) };
  if (reading) return expect(opened.read()).rejects.toMatchObject(missing);
  const snapshot = await opened.read();
  await expect(opened.write(changesFor(wanted(A), snapshot, US), snapshot)).rejects.toMatchObject(missing);
});

test.each([
  ['a name that is too long for its IPv6 rule', { rule: 'a'.repeat(61) }],
  ['a name that is none', { rule: 'Web' }],
  ['a network with a path', { network: 'projects/p/global/networks/default' }],
  ['tags and accounts', { targetServiceAccounts: ['a@b.c'] }],
  ['no tags at all', { targetTags: [] }],
  ['overlapping ports', { allow: [{ protocol: 'tcp', ports: [5432, '5000-6000'] }] }],
  [
    'overlapping ports of one protocol by two names',
    {
      allow: [
        { protocol: 'tcp', ports: [5432] },
        { protocol: 6, ports: [5432] },
      ],
    },
  ],
  ['a priority out of range', { priority: 65536 }],
  ['an unknown key', { logging: true }],
])('options with %s are invalid', (_, extra) => {
  expect(provider.options.safeParse({ ...OPTIONS, ...extra }).success).toBe(false);
});

test('it is told apart by project and rule, and shares the rate limit of its project', () => {
  const options = provider.options.parse(OPTIONS);
  expect(provider.describe({ identity: US, options, baseDir: '/' })).toEqual({
    object: `gcp-firewall projects/${PROJECT}/global/firewalls/${RULE}`,
    services: SERVICES,
    account: `gcp ${PROJECT}`,
  });
});

test('opening a target makes no request', async () => {
  const compute = await emulator();
  await openAt(compute.url, {}, US, { env: environment(compute.url) });
  expect(compute.requests).toEqual([]);
});
