/** Answers of the clouds, damaged on their way: read whole and right, or not at all. */
import fc from 'fast-check';
import { provider as aws } from '../../providers/aws/security-group.ts';
import { provider as gcp } from '../../providers/gcp/firewall.ts';
import type { Identity, Io, Opened } from '../../providers/provider.ts';
import { CatalogueError } from '../../src/errors.ts';
import {
  ALLOW,
  environment as awsEnvironment,
  scripted as awsScripted,
  GROUP,
  page,
} from '../providers/aws/fixture.ts';
import {
  environment as gcpEnvironment,
  scripted as gcpScripted,
  json,
  OPTIONS,
  PROJECT,
  RULE,
} from '../providers/gcp/fixture.ts';
import type { Fuzzed } from './runner.ts';
import { address, addressesIn, damaged, demand } from './texts.ts';

const US: Identity = { owner: 'acme', target: 'orders', previousNames: [] };

/** One try of each request: what damaged answers make of retries is tried elsewhere. */
function impatientIo(env: Io['env']): Io {
  return {
    env,
    request: (_operation, send) => send(AbortSignal.timeout(20_000)),
    sleep: async () => undefined,
    uuid: () => crypto.randomUUID(),
  };
}

async function judge(
  opened: Opened,
  body: string,
  least: (entries: number) => string | undefined,
): Promise<void> {
  try {
    const { entries } = await opened.read();
    const written = new Set(addressesIn(body));
    for (const { cidr } of entries)
      demand(written.has(cidr) || cidr === '0.0.0.0/0', `${cidr} does not stand in the answer`);
    const problem = least(entries.length);
    if (problem) throw new Error(problem);
  } catch (error) {
    if (!(error instanceof CatalogueError)) throw error;
    demand(error.code !== 'internal', `a bug: ${error.message}`);
  }
}

const rules = fc.array(
  fc.record({
    securityGroupRuleId: fc.nat(99).map((nth) => `sgr-${nth}`),
    cidrIpv4: fc.ipV4().map((one) => `${one}/32`),
    description: fc.constantFrom('allowlist-sync/v1 owner=acme target=orders', 'by hand', undefined),
  }),
  { maxLength: 4 },
);
const XML_PIECES = [
  '<item>',
  '</item>',
  '<securityGroupRuleSet>',
  '</securityGroupRuleSet>',
  '<nextToken>',
  '&lt;',
  '<!--',
];

/** Opens the adapter on a service that gives the latest body to every question about rules. */
async function openEc2(): Promise<(body: string) => Opened> {
  let latest = '';
  const group = `<securityGroupInfo><item><groupId>${GROUP}</groupId></item></securityGroupInfo>`;
  const headers = { 'content-type': 'text/xml' };
  const { url } = await awsScripted((action) => ({
    ...{ status: 200, headers },
    body:
      action === 'DescribeSecurityGroups'
        ? `<DescribeSecurityGroupsResponse>${group}</DescribeSecurityGroupsResponse>`
        : latest,
  }));
  const options = aws.options.parse({ region: 'us-west-2', groupId: GROUP, allow: ALLOW });
  const opened = await aws.open({ identity: US, options, baseDir: '/' }, impatientIo(awsEnvironment(url)));
  return (body) => {
    latest = body;
    return opened;
  };
}

const answer = rules.map((all) => page(all).body);

export const EC2: Fuzzed<string> = {
  name: 'answers of EC2',
  inputs: 15_000,
  arbitrary: damaged(answer, XML_PIECES, 3),
  check: {
    open: async () => {
      const at = await openEc2();
      return (text) => {
        const isSet = /<securityGroupRuleSet\s*\/?>/.test(text);
        return judge(at(text), text, () => (isSet ? undefined : 'rules were read where no list of them is'));
      };
    },
  },
};

/** Every beginning of an answer: a cut one is none. */
export const EC2_CUT: Fuzzed<{ text: string; part: number }> = {
  name: 'answers of EC2, cut short',
  inputs: 5_000,
  arbitrary: fc.record({ text: answer, part: fc.double({ min: 0, max: 0.999, noNaN: true }) }),
  check: {
    open: async () => {
      const at = await openEc2();
      return ({ text, part }) => {
        const body = text.slice(0, Math.floor(part * text.length));
        return judge(at(body), body, (entries) => `${entries} entries were read from a part of an answer`);
      };
    },
  },
};

const listing = fc
  .record({
    kind: fc.constant('compute#firewallList'),
    items: fc.array(
      fc.record(
        {
          name: fc.constantFrom(RULE, 'another'),
          network: fc.constant(
            `https://www.googleapis.com/compute/v1/projects/${PROJECT}/global/networks/default`,
          ),
          direction: fc.constantFrom('INGRESS', 'EGRESS'),
          description: fc.constantFrom('allowlist-sync/v1 owner=acme target=orders', 'by hand'),
          priority: fc.nat(70_000),
          disabled: fc.boolean(),
          allowed: fc.constantFrom([{ IPProtocol: 'tcp', ports: ['5432'] }], [{ IPProtocol: 'all' }]),
          sourceRanges: fc.array(address, { maxLength: 3 }),
          targetTags: fc.constant(['postgres']),
        },
        { requiredKeys: ['name', 'network'] },
      ),
      { maxLength: 3 },
    ),
  })
  .map((value) => JSON.stringify(value));

export const COMPUTE: Fuzzed<string> = {
  name: 'answers of Compute Engine',
  inputs: 15_000,
  arbitrary: damaged(listing, ['{', '}', '"items":', '"nextPageToken":"x",', 'null', '[', ']'], 3),
  check: {
    open: async () => {
      let latest = '';
      const { url } = await gcpScripted(() => ({ ...json({}), body: latest }));
      const options = gcp.options.parse(OPTIONS);
      const opened = await gcp.open(
        { identity: US, options, baseDir: '/' },
        impatientIo(gcpEnvironment(url)),
      );
      return (text) => {
        latest = text;
        const isList = text.includes('compute#firewallList');
        return judge(opened, text, () => (isList ? undefined : 'rules were read where no list of them is'));
      };
    },
  },
};
