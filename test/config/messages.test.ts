import { expect, test } from 'vitest';
import { AWS_TARGET, configWith, load, refusal, targetProblems } from './support.ts';

test('one problem is one line that begins with the file and the path', async () => {
  expect(await refusal(configWith({ ownr: 'x' }))).toEqual([
    'c.json: ownr: unknown key; known here: $schema, owner, sources, targets, schedule, alerts, repeatAlertsAfter, state, concurrency, safety',
  ]);
  expect(await refusal(configWith({ concurency: 4 }))).toEqual([
    'c.json: concurency: unknown key; did you mean concurrency?',
  ]);
});

test('all problems are listed at once, wherever they are', async () => {
  const config = {
    owner: 'Acme Prod',
    targets: [
      { ...AWS_TARGET, mode: 'observ', allow: [{ protocol: 'tpc', portz: [5432] }] },
      { name: 'edge', provider: 'fil', path: 'x' },
    ],
    schedule: { cron: '61 * * * *', timezone: 'Europe/Berln' },
    safety: { removalDelay: '1 day', maxGrowth: { count: -1 } },
    concurrency: '8',
  };
  expect(await refusal(config)).toEqual([
    'c.json: 10 problems',
    '  owner: must be lower-case letters, digits, `.`, `_` or `-`, at most 63',
    '  schedule.cron: has no valid minute: "61"',
    '  schedule.timezone: must be the IANA name of a time zone; did you mean Europe/Berlin?',
    '  concurrency: must be a number, not a string',
    '  safety.maxGrowth.count: must be at least 0',
    '  safety.removalDelay: must be a duration such as 30s, 15m, 24h or 7d',
    '  targets[0].allow[0].protocol: must be one of tcp, udp, sctp, 6, 17, 132; did you mean tcp?',
    '  targets[0].allow[0].portz: unknown key; did you mean ports?',
    '  targets[0].mode: must be one of enforce, add-only, observe; did you mean observe?',
    '  targets[1].provider: there is no provider fil; did you mean file? (aws-security-group, gcp-firewall, file)',
  ]);
});

test('a key of a target is compared with the common keys and with those of its provider', async () => {
  const { groupId, ...rest } = AWS_TARGET;
  expect(await targetProblems({ ...rest, groupid: groupId })).toEqual([
    'c.json: targets[0].groupid: unknown key; did you mean groupId?',
  ]);
  expect(await targetProblems({ ...AWS_TARGET, extraCidr: [] })).toEqual([
    'c.json: targets[0].extraCidr: unknown key; did you mean extraCidrs?',
  ]);
  expect(await targetProblems({ ...AWS_TARGET, guards: { growht: 'off' } })).toEqual([
    'c.json: targets[0].guards.growht: unknown key; did you mean growth?',
  ]);
  expect(await targetProblems({ ...AWS_TARGET, guards: { growth: false } })).toEqual([
    'c.json: targets[0].guards.growth: must be off',
  ]);
});

test('a key of another provider is unknown, and its own keys are named', async () => {
  expect(await targetProblems({ name: 'a', provider: 'file', path: 'x', zone: 'us' })).toEqual([
    'c.json: targets[0].zone: unknown key; known here: path, format, mode, extraCidrs, excludeCidrs, previousNames, guards',
  ]);
});

test('what is missing is said with what it should be', async () => {
  expect(await refusal({})).toEqual([
    'c.json: 2 problems',
    '  owner: is required (a string)',
    '  targets: is required (a list)',
  ]);
  expect(await refusal(configWith({ targets: [], sources: [] }))).toEqual([
    'c.json: 2 problems',
    '  sources: must have at least 1 entry',
    '  targets: must have at least 1 entry',
  ]);
  expect(await targetProblems({ name: 'a' }, 5, null)).toEqual([
    'c.json: 3 problems',
    '  targets[0].provider: is required (a string)',
    '  targets[1]: must be an object, not a number',
    '  targets[2]: must be an object, not null',
  ]);
  expect(await refusal('[]')).toEqual(['c.json: must be an object, not a list']);
});

test('the wrong type of a source or channel is answered with the types there are', async () => {
  const config = configWith({ sources: [{ type: 'streamlit-doc' }, {}], alerts: [{ type: 'email' }] });
  expect(await refusal(config)).toEqual([
    'c.json: 3 problems',
    '  sources[0].type: must be one of streamlit-docs, streamlit-github, url, file; did you mean streamlit-docs?',
    '  sources[1].type: is required (one of streamlit-docs, streamlit-github, url, file)',
    '  alerts[0].type: must be one of slack, webhook',
  ]);
});

test('extra and excluded addresses are read strictly, and host bits are answered with both meanings', async () => {
  const extraCidrs = [
    '198.51.100.7/24',
    '1.2.3.4/33',
    '010.0.0.1',
    '11.0.0.0/7',
    '2001:db8::/15',
    '0.0.0.0/0',
  ];
  expect(await targetProblems({ ...AWS_TARGET, extraCidrs, excludeCidrs: ['host.example'] })).toEqual([
    'c.json: 7 problems',
    '  targets[0].extraCidrs[0]: «198.51.100.7/24» has host bits set; write 198.51.100.0/24 for the network or 198.51.100.7/32 for the address',
    '  targets[0].extraCidrs[1]: «1.2.3.4/33» is no address: the prefix must be 0 to 32',
    '  targets[0].extraCidrs[2]: «010.0.0.1» is no address: neither an IPv4 nor an IPv6 address',
    '  targets[0].extraCidrs[3]: «11.0.0.0/7» has host bits set; write 10.0.0.0/7 for the network or 11.0.0.0/32 for the address',
    '  targets[0].extraCidrs[4]: «2001:db8::/15» has host bits set; write 2000::/15 for the network or 2001:db8::/128 for the address',
    '  targets[0].extraCidrs[5]: 0.0.0.0/0 is broader than /8: no target is ever opened that far',
    '  targets[0].excludeCidrs[0]: «host.example» is no address: neither an IPv4 nor an IPv6 address',
  ]);
});

test('an address that is both allowed and excluded is a contradiction', async () => {
  const target = {
    ...AWS_TARGET,
    extraCidrs: ['8.8.8.8', '9.9.9.0/24'],
    excludeCidrs: ['8.8.8.8/32', '9.9.9.9'],
  };
  expect(await targetProblems(target)).toEqual([
    'c.json: 2 problems',
    '  targets[0].extraCidrs: 8.8.8.8/32 contradicts itself: excludeCidrs has it too',
    '  targets[0].extraCidrs: 9.9.9.0/24 contradicts itself: excludeCidrs has 9.9.9.9/32, which overlaps it',
  ]);
});

test('limits that no list could meet are refused', async () => {
  expect(await refusal(configWith({ safety: { minEntries: 300 } }))).toEqual([
    'c.json: safety.minEntries: is 300, more than maxEntries (200): no list could ever pass',
  ]);
});

test('a provider of your own that cannot be loaded is named', async () => {
  const [line, ...rest] = await targetProblems({ name: 'a', provider: './none.mjs' });
  expect(line).toMatch(/^c\.json: targets\[0\]\.provider: cannot load the provider \.\/none\.mjs: /);
  expect(rest).toEqual([]);
});

test('a key named __proto__ is a key like others', async () => {
  const [line] = await refusal(
    '{"owner":"acme","targets":[{"name":"a","provider":"file","path":"x"}],"__proto__":{}}',
  );
  expect(line).toMatch(/^c\.json: __proto__: unknown key/);
  expect(await load(configWith({}))).toMatchObject({ owner: 'acme' });
});
