/** Each guard of docs/guards.md at its limit: one step inside passes, one step outside does not. */
import { expect, test } from 'vitest';
import { type Cidr, sortCidrs, toCidr } from '../../src/cidr.ts';
import { configSchema } from '../../src/config/schema.ts';
import { judgeList, type ListFacts, type Ranges } from '../../src/guards/list.ts';
import { addresses, awsCloud, gcpCloud, installation } from '../support/pass.ts';

const { safety } = configSchema.parse({ owner: 'acme', targets: [{}] });
const RANGES: Ranges = { kind: 'known', cidrs: [toCidr('34.19.0.0/17')], from: 'here' };

/** The guards that have something against a list, each with what it does. */
function judged(candidate: readonly string[], facts: Partial<ListFacts> = {}): string[] {
  const list = sortCidrs(candidate.map(toCidr));
  const known: ListFacts = {
    candidate: list,
    baseline: list,
    largest: list,
    ranges: { kind: 'not-asked' },
    ...facts,
  };
  return judgeList(known, safety).map(({ guard, effect }) => `${guard}: ${effect}`);
}

function cidrs(count: number, from = 1): Cidr[] {
  return addresses(count, from).map(toCidr);
}

test('min-entries: a list without an entry is refused', () => {
  expect(judged(addresses(1))).toEqual([]);
  expect(judged([])).toEqual(['min-entries: refuse']);
});

test('max-entries: a list of 201 is refused', () => {
  expect(judged(addresses(200))).toEqual([]);
  expect(judged(addresses(201))).toEqual(['max-entries: refuse']);
});

test.each([
  ...['0.0.0.1/32', '10.0.0.1/32', '100.64.0.1/32', '127.0.0.1/32', '169.254.169.254/32', '172.16.0.1/32'],
  ...['192.0.2.1/32', '192.168.0.1/32', '198.18.0.1/32', '198.51.100.1/32', '203.0.113.1/32'],
  ...['224.0.0.1/32', '240.0.0.1/32', '255.255.255.255/32'],
  ...['::1/128', '::ffff:34.19.100.1/128', '64:ff9b::1/128', '2001:db8::1/128', '2002::1/128', 'fc00::1/128'],
  ...['fe80::1/128', 'ff02::1/128', '4000::1/128'],
])('special-addresses: %s is refused', (cidr) => {
  expect(judged([...addresses(5), cidr])).toEqual(['special-addresses: refuse']);
});

test('prefix-length: what is broader than /24 or /48 is refused', () => {
  expect(judged(['34.19.100.0/24', '2600:1900:4000::/48'])).toEqual([]);
  expect(judged(['34.19.100.0/23'])).toEqual(['prefix-length: refuse']);
  expect(judged(['2600:1900:4000::/47'])).toEqual(['prefix-length: refuse']);
});

test('growth: more than 10 new, or more than 50 %, is held', () => {
  const grown = (from: number, to: number) => judged(addresses(to), { baseline: cidrs(from) });
  expect(grown(20, 30)).toEqual([]);
  expect(grown(20, 31)).toEqual(['growth: hold']);
  expect(grown(4, 6)).toEqual([]);
  expect(grown(4, 7)).toEqual(['growth: hold']);
  expect(grown(0, 18)).toEqual([]);
});

test('growth: up to 24 new ones inside the publisher’s ranges need no limit', () => {
  const grown = (to: number) => judged(addresses(to), { baseline: cidrs(6), ranges: RANGES });
  expect(grown(30)).toEqual([]);
  expect(grown(31)).toEqual(['growth: hold']);
});

test('shrink: more than 5 gone from the largest list of a week, or more than 30 %, is held', () => {
  const shrunk = (from: number, to: number) => judged(addresses(to), { largest: cidrs(from) });
  expect(shrunk(20, 15)).toEqual([]);
  expect(shrunk(20, 14)).toEqual(['shrink: hold']);
  expect(shrunk(10, 7)).toEqual([]);
  expect(shrunk(10, 6)).toEqual(['shrink: hold']);
});

test('provenance: one foreign address among new ones is held; without ranges it says nothing', () => {
  const baseline = cidrs(18);
  const foreign = [...addresses(18), '52.0.0.1/32'];
  expect(judged(addresses(19), { baseline, ranges: RANGES })).toEqual([]);
  expect(judged(foreign, { baseline, ranges: RANGES })).toEqual(['provenance: hold']);
  expect(judged(foreign, { baseline, ranges: { kind: 'unavailable', detail: 'no answer' } })).toEqual([]);
  expect(judged(foreign, { ranges: RANGES })).toEqual([]);
});

test('capacity: additions that do not fit beside what is there are held, and none is begun', async () => {
  const aws = await awsCloud({ quota: 10 });
  for (const cidr of addresses(6, 100)) aws.add(cidr);
  const place = await installation({
    targets: [aws.target({ maxRules: 10 })],
    env: aws.env,
    published: addresses(5),
  });
  const { exitCode, targets } = await place.sync();
  expect(exitCode).toBe(3);
  expect(targets[0]?.held.map(({ guard }) => guard)).toEqual(['capacity']);
  expect(aws.allowed()).toEqual(addresses(6, 100));
  await place.publish(addresses(4));
  expect((await place.sync()).exitCode).toBe(0);
});

test('shrink: a target that would lose too many at once is held, whatever the list says', async () => {
  const aws = await awsCloud();
  const env = aws.env;
  const place = await installation({
    targets: [aws.target({ extraCidrs: addresses(8, 100) })],
    env,
    published: addresses(8),
  });
  await place.sync();
  place.configure({ targets: [aws.target({ extraCidrs: addresses(2, 100) })] });
  const { exitCode, targets } = await place.sync();
  expect(exitCode).toBe(3);
  expect(targets[0]?.held.map(({ guard }) => guard)).toEqual(['shrink']);
  expect(aws.allowed()).toHaveLength(16);
  const id = targets[0]?.held[0]?.id ?? '';
  expect((await place.sync({ approve: [id] })).exitCode).toBe(0);
  expect(aws.allowed()).toHaveLength(10);
});

test('blast-radius: when more targets would change than allowed, none does until it is approved', async () => {
  const [aws, gcp] = [await awsCloud(), await gcpCloud()];
  const place = await installation({
    targets: [aws.target(), gcp.target()],
    env: { ...aws.env, ...gcp.env },
    published: addresses(3),
    config: { safety: { maxTargetsChanged: 1 } },
  });
  const { exitCode, targets } = await place.sync();
  expect(exitCode).toBe(3);
  expect(targets.flatMap(({ held }) => held.map(({ guard }) => guard))).toEqual([
    'blast-radius',
    'blast-radius',
  ]);
  expect([...aws.allowed(), ...gcp.allowed()]).toEqual([]);
  await place.sync({ approve: [targets[0]?.held[0]?.id ?? ''] });
  expect([aws.allowed(), gcp.allowed()]).toEqual([addresses(3), addresses(3)]);
});

test('adoption: what a rule held when it was taken over goes only with approval', async () => {
  const gcp = await gcpCloud();
  gcp.compute.insert('acme-data', {
    name: 'allow-community-cloud',
    network: 'global/networks/default',
    allowed: [{ IPProtocol: 'tcp', ports: ['5432'] }],
    sourceRanges: ['52.10.20.30/32'],
  });
  const place = await installation({
    targets: [gcp.target({ adopt: true })],
    env: gcp.env,
    published: addresses(3),
    config: { safety: { removalDelay: '0s' } },
  });
  const { exitCode, targets } = await place.sync();
  expect(exitCode).toBe(3);
  expect(targets[0]?.held.map(({ guard }) => guard)).toEqual(['adoption']);
  expect(gcp.allowed()).toEqual([...addresses(3), '52.10.20.30/32']);
  const { held = [] } = (await place.sync()).targets[0] ?? {};
  await place.sync({ approve: [held[0]?.id ?? ''] });
  expect(gcp.allowed()).toEqual(addresses(3));
});
