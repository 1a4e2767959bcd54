import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { AWS_TARGET, configWith, FILE_TARGET, folder, GCP_TARGET, load, targetProblems } from './support.ts';

test('a target has all that is known of it without any network', async () => {
  const target = {
    ...AWS_TARGET,
    mode: 'add-only',
    extraCidrs: ['9.9.9.9', '8.8.8.0/24', '9.9.9.9/32'],
    excludeCidrs: ['34.19.100.134'],
    previousNames: ['orders'],
    guards: { growth: 'off', 'blast-radius': 'off' },
    adopt: true,
  };
  const { targets } = await load(configWith({ targets: [target] }));
  expect(targets).toMatchObject([
    {
      name: 'orders-db',
      providerName: 'aws-security-group',
      provider: { name: 'aws-security-group', atomic: false },
      spec: { identity: { owner: 'acme', target: 'orders-db', previousNames: ['orders'] } },
      description: { services: [{ protocol: 'tcp', ports: '5432' }] },
      mode: 'add-only',
      extraCidrs: ['8.8.8.0/24', '9.9.9.9/32'],
      excludeCidrs: ['34.19.100.134/32'],
      adopt: true,
    },
  ]);
  expect([...(targets[0]?.guardsOff ?? [])]).toEqual(['growth', 'blast-radius']);
});

test('targets stay in the order of the file, and take over nothing unless they say so', async () => {
  const { targets } = await load(configWith({ targets: [GCP_TARGET, FILE_TARGET, AWS_TARGET] }));
  expect(targets.map(({ name, mode, adopt }) => [name, mode, adopt])).toEqual([
    ['analytics', 'enforce', false],
    ['edge', 'enforce', false],
    ['orders-db', 'enforce', false],
  ]);
});

test('everything that may be left out has the default of the documentation', async () => {
  const config = await load(configWith({}));
  expect(config).toMatchObject({
    sources: [{ type: 'streamlit-docs' }, { type: 'streamlit-github' }],
    schedule: { cron: '*/15 * * * *', timezone: 'UTC', jitter: 0 },
    alerts: [],
    repeatAlertsAfter: 86_400_000,
    concurrency: 8,
    secrets: [],
  });
  expect(config.stateDir).toBe(join(config.baseDir, 'state'));
  expect(config.safety).toEqual({
    minSources: 1,
    minEntries: 1,
    maxEntries: 200,
    minPrefixLength: { ipv4: 24, ipv6: 48 },
    maxGrowth: { count: 10, percent: 50 },
    maxShrink: { count: 5, percent: 30 },
    removalDelay: 86_400_000,
    provenance: {
      mode: 'require',
      url: 'https://www.gstatic.com/ipranges/cloud.json',
      scopes: ['us-west1'],
      sources: ['streamlit-docs', 'streamlit-github'],
      maxAge: 30 * 86_400_000,
      whenUnavailable: 'warn',
      maxVouched: 24,
    },
    maxTargetsChanged: null,
    staleAfter: null,
    deadline: 300_000,
  });
});

test('one number of a limit can be changed or lifted, and the other stays', async () => {
  const safety = {
    maxGrowth: { count: null },
    maxShrink: { percent: 80 },
    staleAfter: '2h',
    maxTargetsChanged: 2,
  };
  expect((await load(configWith({ safety }))).safety).toMatchObject({
    maxGrowth: { count: null, percent: 50 },
    maxShrink: { count: 5, percent: 80 },
    staleAfter: 7_200_000,
    maxTargetsChanged: 2,
  });
});

test('two targets of one name are refused, naming both places', async () => {
  expect(await targetProblems(FILE_TARGET, { ...AWS_TARGET, name: 'edge' })).toEqual([
    'c.json: targets[1].name: edge is the name of targets[0] too',
  ]);
});

test('a previous name that somebody has or had is refused, in either order', async () => {
  const renamed = { ...AWS_TARGET, previousNames: ['edge'] };
  const problem = 'edge is the name of TARGET; its entries would be taken for those of orders-db';
  expect(await targetProblems(FILE_TARGET, renamed)).toEqual([
    `c.json: targets[1].previousNames: ${problem.replace('TARGET', 'targets[0]')}`,
  ]);
  expect(await targetProblems(renamed, FILE_TARGET)).toEqual([
    `c.json: targets[0].previousNames: ${problem.replace('TARGET', 'targets[1]')}`,
  ]);
  expect(await targetProblems({ ...AWS_TARGET, previousNames: ['orders-db'] })).toEqual([
    'c.json: targets[0].previousNames: orders-db is its name of today',
  ]);
  expect(
    await targetProblems(
      { ...AWS_TARGET, previousNames: ['old'] },
      { ...FILE_TARGET, previousNames: ['old'] },
    ),
  ).toEqual([
    'c.json: targets[1].previousNames: old is a previous name of targets[0] (orders-db) too; only one can take its entries over',
  ]);
});

test('targets that manage the same ports of one object are refused, naming both', async () => {
  const other = { ...AWS_TARGET, name: 'other', allow: [{ protocol: 6, ports: ['5000-6000'] }] };
  expect(await targetProblems(AWS_TARGET, other)).toEqual([
    'c.json: targets[1]: other and orders-db (targets[0]) both manage ports (tcp 5000-6000 meets tcp 5432) of aws-security-group us-west-2 sg-0a1b2c3d4e5f60718; give each its own ports, or make one target of them',
  ]);
});

test('targets with ports of their own may share a security group', async () => {
  const other = { ...AWS_TARGET, name: 'other', allow: [{ protocol: 'tcp', ports: [3306] }] };
  const udp = { ...AWS_TARGET, name: 'udp', allow: [{ protocol: 'udp', ports: [5432] }] };
  const elsewhere = { ...AWS_TARGET, name: 'elsewhere', region: 'us-east-1' };
  const { targets } = await load(configWith({ targets: [AWS_TARGET, other, udp, elsewhere] }));
  expect(targets).toHaveLength(4);
});

test('an object that one write replaces as a whole belongs to one target, whatever the ports', async () => {
  const other = { ...GCP_TARGET, name: 'other', allow: [{ protocol: 'tcp', ports: [3306] }] };
  expect(await targetProblems(GCP_TARGET, other)).toEqual([
    'c.json: targets[1]: other and analytics (targets[0]) both manage gcp-firewall projects/acme-data/global/firewalls/allow-community-cloud, which only one target can write; make one target of them',
  ]);
  expect(
    await targetProblems(FILE_TARGET, { ...FILE_TARGET, name: 'b', path: 'x/../allowlist.txt' }),
  ).toEqual([
    expect.stringMatching(
      /^c\.json: targets\[1\]: b and edge \(targets\[0\]\) both manage file .*allowlist\.txt, /,
    ),
  ]);
});

test('a port that one target names twice is refused', async () => {
  const allow = [{ protocol: 'tcp', ports: [5432, '5000-6000'] }];
  expect(await targetProblems({ ...AWS_TARGET, allow })).toEqual([
    'c.json: targets[0]: tcp 5000-6000 and tcp 5432 overlap; name each port once',
  ]);
});

test('a provider of your own is checked by its own schema, and can adopt only when it says so', async () => {
  const cwd = folder();
  const zod = import.meta.resolve('zod');
  writeFileSync(
    join(cwd, 'mine.mjs'),
    `import { z } from '${zod}';
     export const provider = {
       name: 'mine', atomic: false, adopts: null, open() {},
       options: z.strictObject({ zone: z.string(), adopt: z.string().optional() }),
       describe: ({ options }) => {
         if (options.zone === 'bad') throw new Error('there is no zone bad');
         return { object: 'mine ' + options.zone, services: [], account: 'mine' };
       },
     };`,
  );
  const write = (target: object) =>
    writeFileSync(
      join(cwd, 'c.json'),
      JSON.stringify(configWith({ targets: [{ name: 'a', provider: './mine.mjs', ...target }] })),
    );
  const message = () => loadConfig({ path: 'c.json', cwd, env: {} }).catch((error: Error) => error.message);
  write({ zone: 'z', adopt: 'true' });
  expect((await loadConfig({ path: 'c.json', cwd, env: {} })).targets[0]).toMatchObject({
    providerName: './mine.mjs',
    description: { object: 'mine z' },
    adopt: false,
  });
  write({ zoen: 'z' });
  expect(await message()).toBe('c.json: targets[0].zoen: unknown key; did you mean zone?');
  write({ zone: 'bad' });
  expect(await message()).toBe('c.json: targets[0]: there is no zone bad');
});
