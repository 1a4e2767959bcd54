import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { parseFilter } from '../../../src/emulators/compute/filter.ts';
import { type Compute, startCompute } from '../../../src/emulators/compute/index.ts';
import { clientsOf, refusalOf } from './client.ts';

let compute: Compute;
let clients: ReturnType<typeof clientsOf>;

beforeAll(async () => {
  compute = await startCompute({ pageSize: 2 });
  clients = clientsOf(compute);
  compute.addNetwork('acme', 'data');
  for (const [name, network] of [
    ['e', 'default'],
    ['d', 'data'],
    ['c', 'default'],
    ['b', 'default'],
    ['a', 'default'],
  ])
    compute.insert('acme', {
      name,
      network: `global/networks/${network}`,
      allowed: [{ IPProtocol: 'tcp' }],
      sourceRanges: ['203.0.113.7/32', '198.51.100.0/24'],
    });
});
afterAll(() => compute.close());

const names = (rules: readonly { name?: string | null }[]) => rules.map(({ name }) => name);
const base = 'https://www.googleapis.com/compute/v1/projects/acme/global/networks';

async function raw(query: string) {
  const response = await fetch(`${compute.url}/compute/v1/projects/acme/global/firewalls?${query}`);
  const page = z.looseObject({
    items: z.array(z.looseObject({ name: z.string() })).optional(),
    nextPageToken: z.string().optional(),
  });
  return page.parse(await response.json());
}

test('the client reads every page, in the order of names', async () => {
  const before = compute.requests.length;
  const [rules] = await clients.firewalls.list({ project: 'acme' });
  expect(names(rules)).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(compute.requests.slice(before).map(({ operation }) => operation)).toEqual([
    'firewalls.list',
    'firewalls.list',
    'firewalls.list',
  ]);
});

test('the last page has no token, and an empty listing no items', async () => {
  const first = await raw('');
  expect(names(first.items ?? [])).toEqual(['a', 'b']);
  const last = await raw(`pageToken=${(await raw(`pageToken=${first.nextPageToken}`)).nextPageToken}`);
  expect(names(last.items ?? [])).toEqual(['e']);
  expect(last).not.toHaveProperty('nextPageToken');
  expect(await raw('filter=name=nobody')).toEqual({
    kind: 'compute#firewallList',
    id: 'projects/acme/global/firewalls',
    selfLink: 'https://www.googleapis.com/compute/v1/projects/acme/global/firewalls',
  });
});

test('maxResults makes pages smaller, never larger than the service allows', async () => {
  expect((await raw('maxResults=1')).items).toHaveLength(1);
  expect((await raw('maxResults=500')).items).toHaveLength(2);
  expect((await raw('maxResults=0')).items).toHaveLength(2);
});

test.each([
  ['filter', { filter: 'name =' }],
  ['filter', { filter: '(name = "a"' }],
  ['filter', { filter: 'name eq "("' }],
  ['maxResults', { maxResults: 501 }],
  ['pageToken', { pageToken: 'stale' }],
])('a bad %s is refused with 400', async (parameter, query) => {
  const call = clients.firewalls.list({ project: 'acme', ...query }, { autoPaginate: false });
  expect(await refusalOf(call)).toMatchObject({
    status: 400,
    reason: 'invalid',
    message: expect.stringContaining(`Invalid value for field '${parameter}'`),
  });
});

test('a filter on the network leaves the rules of others out', async () => {
  const [rules] = await clients.firewalls.list({ project: 'acme', filter: `network = "${base}/data"` });
  expect(names(rules)).toEqual(['d']);
});

test.each([
  ['', true],
  [`network="${base}/default"`, true],
  [`(network = "${base}/default")`, true],
  [`network eq "${base}/default"`, true],
  [`network eq ".*/data"`, false],
  [`network ne ".*/data"`, true],
  ['network:default', true],
  ['network : "networks/da*"', false],
  [`network != '${base}/default'`, false],
  ['name = a AND network:default', true],
  ['name = a AND network:data', false],
  ['(name = a) (priority = 1000)', true],
  ['disabled = false', true],
  ['logConfig.enable = true', false],
  ['description = ""', true],
  // What gcloud 528 sends for --filter='network=default AND name=a', 'name~^a.*' and 'sourceRanges:198.51.100.0/24'.
  [String.raw`(network eq ".*\bdefault\b.*")(name eq ".*\ba\b.*")`, true],
  ['name eq ".*(^a.*).*"', true],
  [String.raw`sourceRanges eq ".*\b198\.51\.100\.0/24\b.*"`, true],
  [String.raw`sourceRanges eq ".*\b198\.51\.100\.1/32\b.*"`, false],
])('the filter «%s» on a rule of the default network is %s', (filter, matches) => {
  expect(parseFilter(filter)(compute.rule('acme', 'a') ?? {})).toBe(matches);
});
