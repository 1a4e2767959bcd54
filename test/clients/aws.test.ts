import { execFile, execFileSync } from 'node:child_process';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { type Ec2, type Ec2Options, startEc2 } from '../../src/emulators/ec2/index.ts';

const version = installed();
if (version === undefined)
  console.warn('Skipped: the aws CLI is not installed, so the EC2 emulator was not held to it.');

/** Nothing of the machine's own AWS set-up: no profile, no metadata server, no pager, one try. */
const ENV = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_DEFAULT_REGION: 'us-west-2',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_MAX_ATTEMPTS: '1',
  AWS_PAGER: '',
};

const Rules = z.object({
  SecurityGroupRules: z.array(
    z.object({
      SecurityGroupRuleId: z.string(),
      GroupId: z.string(),
      IsEgress: z.boolean(),
      IpProtocol: z.string(),
      FromPort: z.number(),
      ToPort: z.number(),
      CidrIpv4: z.string().optional(),
      CidrIpv6: z.string().optional(),
      Description: z.string().optional(),
    }),
  ),
});

function installed(): string | undefined {
  try {
    return execFileSync('aws', ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}

/** One call of the CLI; the endpoint is always written out, since some versions ignore the variables for it. */
function run(
  ec2: Ec2,
  args: readonly string[],
): Promise<{ status: unknown; stdout: string; stderr: string }> {
  const all = ['--endpoint-url', ec2.url, '--output', 'json', 'ec2', ...args];
  return new Promise((resolve) => {
    execFile('aws', all, { env: ENV }, (error, stdout, stderr) =>
      resolve({ status: error ? error.code : 0, stdout, stderr }),
    );
  });
}

async function ok(ec2: Ec2, ...args: string[]): Promise<unknown> {
  const { status, stdout, stderr } = await run(ec2, args);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout === '' ? undefined : JSON.parse(stdout);
}

/** The error code in the CLI's own sentence: `An error occurred (CODE) when calling the … operation: …`. */
async function refused(ec2: Ec2, ...args: string[]): Promise<string | undefined> {
  const { status, stderr } = await run(ec2, args);
  expect(status).not.toBe(0);
  return /\((\S+)\) when calling the \w+ operation/.exec(stderr)?.[1] ?? stderr;
}

async function start(options?: Ec2Options): Promise<{ ec2: Ec2; groupId: string }> {
  const ec2 = await startEc2(options);
  onTestFinished(() => ec2.close());
  return { ec2, groupId: ec2.createGroup({ name: 'databases' }) };
}

function inbound(ec2: Ec2, groupId: string) {
  return ec2.rules(groupId).filter((rule) => !rule.isEgress);
}

describe.skipIf(version === undefined)(`the aws CLI (${version ?? 'absent'})`, () => {
  test('makes a group, finds it, and takes it away', async () => {
    const { ec2 } = await start();
    const made = await ok(ec2, 'create-security-group', '--group-name', 'web', '--description', 'Web');
    const { GroupId } = z.object({ GroupId: z.string() }).parse(made);
    const found = await ok(ec2, 'describe-security-groups', '--group-ids', GroupId);
    expect(found).toMatchObject({
      SecurityGroups: [
        {
          GroupName: 'web',
          OwnerId: '123456789012',
          IpPermissions: [],
          IpPermissionsEgress: [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }],
        },
      ],
    });
    await ok(ec2, 'delete-security-group', '--group-id', GroupId);
    expect(await refused(ec2, 'describe-security-groups', '--group-ids', GroupId)).toBe(
      'InvalidGroup.NotFound',
    );
  });

  test('authorizes with JSON, and host bits are cleared', async () => {
    const { ec2, groupId } = await start();
    const permission = {
      IpProtocol: 'tcp',
      FromPort: 5432,
      ToPort: 5432,
      IpRanges: [{ CidrIp: '203.0.113.9/24', Description: 'allowlist-sync/v1 owner=acme target=orders' }],
      Ipv6Ranges: [{ CidrIpv6: '2600:1900::/48' }],
      UserIdGroupPairs: [{ GroupId: groupId, UserId: '123456789012' }],
    };
    const json = JSON.stringify([permission]);
    const answer = await ok(
      ec2,
      'authorize-security-group-ingress',
      '--group-id',
      groupId,
      '--ip-permissions',
      json,
    );
    const { SecurityGroupRules } = Rules.parse(answer);
    const [four, six, reference] = inbound(ec2, groupId);
    expect(four).toMatchObject({
      cidrIpv4: '203.0.113.0/24',
      description: permission.IpRanges[0]?.Description,
    });
    expect(six).toMatchObject({ cidrIpv6: '2600:1900::/48' });
    expect(reference).toMatchObject({ referencedGroupId: groupId });
    expect(SecurityGroupRules.map((rule) => rule.SecurityGroupRuleId)).toEqual([
      four?.id,
      six?.id,
      reference?.id,
    ]);
  });

  test('authorizes and revokes one address in the short form', async () => {
    const { ec2, groupId } = await start();
    const short = ['--group-id', groupId, '--protocol', 'tcp', '--port', '5432-5433', '--cidr', '10.0.0.0/8'];
    await ok(ec2, 'authorize-security-group-ingress', ...short);
    expect(inbound(ec2, groupId)).toMatchObject([
      { protocol: 'tcp', fromPort: 5432, toPort: 5433, cidrIpv4: '10.0.0.0/8' },
    ]);
    const duplicate = await refused(ec2, 'authorize-security-group-ingress', ...short);
    expect(duplicate).toBe('InvalidPermission.Duplicate');
    await ok(ec2, 'revoke-security-group-ingress', ...short);
    expect(inbound(ec2, groupId)).toEqual([]);
    const gone = await refused(ec2, 'revoke-security-group-ingress', ...short);
    expect(gone).toBe('InvalidPermission.NotFound');
  });

  test('reads all rules page by page', async () => {
    const { ec2, groupId } = await start();
    const cidrs = Array.from({ length: 12 }, (_, index) => `203.0.113.${index}/32`);
    ec2.authorize(
      groupId,
      ...cidrs.map((cidrIpv4) => ({ protocol: 'tcp', fromPort: 443, toPort: 443, cidrIpv4 })),
    );
    const filter = `Name=group-id,Values=${groupId}`;
    const answer = await ok(ec2, 'describe-security-group-rules', '--filters', filter, '--page-size', '5');
    const rules = Rules.parse(answer).SecurityGroupRules;
    expect(rules.filter((rule) => !rule.IsEgress).map((rule) => rule.CidrIpv4)).toEqual(cidrs);
    expect(ec2.requests.map(({ operation }) => operation)).toEqual([
      'DescribeSecurityGroupRules',
      'DescribeSecurityGroupRules',
      'DescribeSecurityGroupRules',
    ]);
  });

  test('sees no rules of a group that does not exist', async () => {
    const { ec2 } = await start();
    const filter = 'Name=group-id,Values=sg-0a1b2c3d4e5f60718';
    const answer = await ok(ec2, 'describe-security-group-rules', '--filters', filter);
    expect(answer).toEqual({ SecurityGroupRules: [] });
  });

  test('changes a rule, and only its description', async () => {
    const { ec2, groupId } = await start();
    const [rule] = ec2.authorize(groupId, {
      protocol: 'tcp',
      fromPort: 5432,
      toPort: 5432,
      cidrIpv4: '203.0.113.1/32',
      description: 'as it was',
    });
    const id = rule?.id ?? '';
    const wider = { IpProtocol: 'tcp', FromPort: 5000, ToPort: 5432, CidrIpv4: '203.0.113.1/32' };
    const update = JSON.stringify([{ SecurityGroupRuleId: id, SecurityGroupRule: wider }]);
    const modify = ['modify-security-group-rules', '--group-id', groupId, '--security-group-rules', update];
    expect(await ok(ec2, ...modify)).toEqual({ Return: true });
    expect(inbound(ec2, groupId)).toEqual([
      {
        id,
        groupId,
        isEgress: false,
        protocol: 'tcp',
        fromPort: 5000,
        toPort: 5432,
        cidrIpv4: '203.0.113.1/32',
      },
    ]);
    const text = JSON.stringify([{ SecurityGroupRuleId: id, Description: 'as it is' }]);
    await ok(
      ec2,
      'update-security-group-rule-descriptions-ingress',
      '--group-id',
      groupId,
      '--security-group-rule-descriptions',
      text,
    );
    expect(inbound(ec2, groupId)).toMatchObject([{ id, fromPort: 5000, description: 'as it is' }]);
  });

  test('revokes by id', async () => {
    const { ec2, groupId } = await start();
    const [rule] = ec2.authorize(groupId, { protocol: '-1', cidrIpv4: '10.0.0.0/8' });
    const revoke = ['revoke-security-group-ingress', '--group-id', groupId, '--security-group-rule-ids'];
    expect(await ok(ec2, ...revoke, rule?.id ?? '')).toMatchObject({
      Return: true,
      RevokedSecurityGroupRules: [{ SecurityGroupRuleId: rule?.id, CidrIpv4: '10.0.0.0/8' }],
    });
    expect(inbound(ec2, groupId)).toEqual([]);
    const gone = await refused(ec2, ...revoke, rule?.id ?? '');
    expect(gone).toBe('InvalidSecurityGroupRuleId.NotFound');
  });

  test.each([
    ['InvalidParameterValue', ['--protocol', 'tcp', '--port', '22', '--cidr', '203.0.113.1/33']],
    ['InvalidParameterValue', ['--protocol', 'tcp', '--port', '70000', '--cidr', '203.0.113.1/32']],
    ['RulesPerSecurityGroupLimitExceeded', ['--protocol', 'tcp', '--port', '22', '--cidr', '203.0.113.1/32']],
    ['InvalidGroupId.Malformed', ['--protocol', 'tcp', '--port', '22', '--source-group', 'sg-web']],
    ['MissingParameter', ['--protocol', 'tcp', '--port', '22', '--source-group', 'web']],
  ])('understands the refusal %s of %j', async (expected, args) => {
    const { ec2, groupId } = await start({ quota: 0 });
    const call = await refused(ec2, 'authorize-security-group-ingress', '--group-id', groupId, ...args);
    expect(call).toBe(expected);
    expect(inbound(ec2, groupId)).toEqual([]);
  });

  test('understands that it is throttled', async () => {
    const { ec2 } = await start({ fault: () => ({ kind: 'throttle', when: 'before' }) });
    expect(await refused(ec2, 'describe-security-groups')).toBe('RequestLimitExceeded');
  });
});
