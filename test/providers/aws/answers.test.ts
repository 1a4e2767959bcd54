import { expect, test } from 'vitest';
import { toCidr } from '../../../src/cidr.ts';
import type { EmulatorResponse } from '../../../src/emulators/server.ts';
import { answer, GROUP, openGroup, page, refusal, scripted } from './fixture.ts';

const EMPTY = answer('DescribeSecurityGroupRules', '<securityGroupRuleSet/>');
const NOTHING = { entries: [], beside: [], settings: [], capacity: [], warnings: [] };
const ADD = [
  { action: 'add' as const, entry: { cidr: toCidr('34.19.100.134'), protocol: 'tcp', ports: '5432' } },
];

async function readFrom(respond: (action: string, nth: number) => EmulatorResponse, extra = {}) {
  const { url } = await scripted(respond);
  const { opened, io } = await openGroup(url, GROUP, extra);
  return { reading: opened.read(), io };
}

test.each([
  ['an empty body', ''],
  ['a page of HTML', '<html></html>'],
  [
    'no set of rules',
    '<DescribeSecurityGroupRulesResponse><requestId>1</requestId></DescribeSecurityGroupRulesResponse>',
  ],
  ['a body that was cut', '<DescribeSecurityGroupRulesResponse><securityGroupRuleSet><item>'],
  ['no XML at all', '{"securityGroupRuleSet":[]}'],
])('%s with status 200 is tried again, and never an empty group', async (_, body) => {
  const bad = await readFrom(() => ({ status: 200, body }));
  await expect(bad.reading).rejects.toMatchObject({ code: 'service-error', transient: true });
  expect(bad.io.operations.length).toBeGreaterThan(1);
  const recovers = await readFrom((_action, nth) => (nth === 0 ? { status: 200, body } : page([{}])));
  expect((await recovers.reading).entries).toHaveLength(1);
});

test.each([
  [
    'a page token that comes again',
    (nth: number) => page([{ securityGroupRuleId: `sgr-${nth}` }], 'same'),
    'token',
  ],
  [
    'tokens that go round',
    (nth: number) => page([{ securityGroupRuleId: `sgr-${nth}` }], `t${nth % 2}`),
    'token',
  ],
  ['a rule that is listed twice', (nth: number) => page([{}], `t${nth}`), 'sgr-0 twice'],
  ['a rule of another group', () => page([{}, { groupId: 'sg-00000000' }]), 'sgr-1 of the group sg-00000000'],
  [
    'an outbound rule of another group',
    () => page([{ groupId: 'sg-00000000', isEgress: 'true' }]),
    'sg-00000000',
  ],
  ['a rule without a group', () => page([{ groupId: undefined }]), 'undefined'],
  ['a rule without an id', () => page([{ securityGroupRuleId: undefined }]), 'without an id'],
  ['a rule without a direction', () => page([{ isEgress: undefined }]), 'direction'],
  ['a rule without a protocol', () => page([{ ipProtocol: undefined }]), 'protocol'],
  ['an address that is none', () => page([{ cidrIpv4: '999.1.1.1/32' }]), '«999.1.1.1/32»'],
])('%s makes the read fail', async (_, respond, reason) => {
  const { reading } = await readFrom((_action, nth) => respond(nth));
  await expect(reading).rejects.toMatchObject({
    code: 'bad-answer',
    transient: false,
    message: expect.stringContaining(reason),
  });
});

test('a page that fails makes the read fail, however many came before it', async () => {
  const { reading } = await readFrom((_action, nth) =>
    nth === 0 ? page([{}], 'more') : refusal('InvalidNextToken', 'The token is invalid.'),
  );
  await expect(reading).rejects.toMatchObject({
    code: 'request-refused',
    message: expect.stringContaining('InvalidNextToken: The token is invalid.'),
  });
});

test('an empty page between two others ends nothing', async () => {
  const pages = [
    page([{}], 'a'),
    answer('DescribeSecurityGroupRules', '<securityGroupRuleSet/><nextToken>b</nextToken>'),
  ];
  const { reading } = await readFrom(
    (_action, nth) => pages[nth] ?? page([{ securityGroupRuleId: 'sgr-9' }]),
  );
  expect((await reading).entries.map(({ id }) => id)).toEqual(['sgr-0', 'sgr-9']);
});

test.each([
  ['leaves the group out', answer('DescribeSecurityGroups', '<securityGroupInfo/>'), 'target-missing'],
  [
    'has another group',
    answer(
      'DescribeSecurityGroups',
      '<securityGroupInfo><item><groupId>sg-00000000</groupId></item></securityGroupInfo>',
    ),
    'target-missing',
  ],
  ['has no set', answer('DescribeSecurityGroups', ''), 'service-error'],
  [
    'is a refusal',
    refusal('InvalidGroup.NotFound', `The security group '${GROUP}' does not exist`),
    'target-missing',
  ],
])('no rules, and a DescribeSecurityGroups that %s: not an empty group', async (_, groups, code) => {
  const { reading } = await readFrom((action) => (action === 'DescribeSecurityGroups' ? groups : EMPTY));
  await expect(reading).rejects.toMatchObject({ code, message: expect.stringContaining(GROUP) });
});

test('where rules do not tell their account, the group itself is asked, and only when an account is demanded', async () => {
  const group = (owner: string) =>
    `<securityGroupInfo><item><groupId>${GROUP}</groupId>${owner}</item></securityGroupInfo>`;
  const respond = (owner: string) => (action: string) =>
    action === 'DescribeSecurityGroups' ? answer(action, group(owner)) : page([{ groupOwnerId: undefined }]);
  const accountId = '123456789012';
  const one = await readFrom(respond(''));
  await one.reading;
  expect(one.io.operations).toEqual(['DescribeSecurityGroupRules']);
  const right = await readFrom(respond(`<ownerId>${accountId}</ownerId>`), { accountId });
  expect((await right.reading).entries).toHaveLength(1);
  for (const owner of ['<ownerId>210987654321</ownerId>', '']) {
    const { reading } = await readFrom(respond(owner), { accountId });
    await expect(reading).rejects.toMatchObject({ code: 'wrong-account' });
  }
});

test.each([
  ['false', '<return>false</return>', 'request-refused'],
  ['nothing', '', 'service-error'],
])('a write that is answered with %s is an error', async (_, body, code) => {
  const { url } = await scripted((action) => answer(action, body));
  const { opened } = await openGroup(url, GROUP);
  await expect(opened.write(ADD, NOTHING)).rejects.toMatchObject({ code });
});
