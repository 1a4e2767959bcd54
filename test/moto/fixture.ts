import { EC2, type SecurityGroupRule } from '@aws-sdk/client-ec2';
import { provider } from '../../providers/aws/security-group.ts';
import { formatMarker, type Marker, portBounds, type Service } from '../../providers/provider.ts';
import { ALLOW, environment, NO_GROUP, SERVICES } from '../providers/aws/fixture.ts';
import type { Allowed, Fixture } from '../support/fixture.ts';
import type { Moto } from './server.ts';

/** The vendor's own client on moto: the hands of a person. */
export function clientOf(moto: Moto): EC2 {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } =
    environment('');
  return new EC2({
    region: 'us-west-2',
    endpoint: moto.url,
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey },
  });
}

/** An empty group in an account where nothing else is but what moto puts there. */
export async function makeGroup(client: EC2, moto: Moto): Promise<string> {
  await moto.reset();
  const { Vpcs = [] } = await client.describeVpcs({});
  const { GroupId } = await client.createSecurityGroup({
    GroupName: 'orders',
    Description: 'orders',
    VpcId: Vpcs[0]?.VpcId,
  });
  if (!GroupId) throw new Error('moto made no group');
  return GroupId;
}

export async function motoFixture(moto: Moto): Promise<Fixture> {
  const client = clientOf(moto);
  const groupId = await makeGroup(client, moto);
  return {
    provider,
    options: { region: 'us-west-2', groupId, allow: ALLOW },
    env: environment(moto.url),
    services: SERVICES,
    missing: { options: { groupId: NO_GROUP }, mention: NO_GROUP },
    addByHand: (cidr, service, marker) => addByHand(client, groupId, cidr, service, marker),
    removeByHand: async (cidr) => {
      const rules = (await inbound(client, groupId)).filter((rule) => cidrOf(rule) === cidr);
      if (rules.length === 0) return;
      const SecurityGroupRuleIds = rules.flatMap((rule) => rule.SecurityGroupRuleId ?? []);
      await client.revokeSecurityGroupIngress({ GroupId: groupId, SecurityGroupRuleIds });
    },
    current: async () => (await inbound(client, groupId)).map(allowedBy),
    close: async () => client.destroy(),
  };
}

export async function inbound(client: EC2, groupId: string): Promise<SecurityGroupRule[]> {
  const Filters = [{ Name: 'group-id', Values: [groupId] }];
  const { SecurityGroupRules = [] } = await client.describeSecurityGroupRules({ Filters });
  return SecurityGroupRules.filter(({ IsEgress }) => !IsEgress);
}

async function addByHand(
  client: EC2,
  groupId: string,
  cidr: string,
  { protocol, ports }: Service,
  marker?: Marker,
): Promise<void> {
  const [FromPort, ToPort] = portBounds(ports);
  const described = marker && { Description: formatMarker(marker) };
  const peer = cidr.includes(':')
    ? { Ipv6Ranges: [{ CidrIpv6: cidr, ...described }] }
    : { IpRanges: [{ CidrIp: cidr, ...described }] };
  await client.authorizeSecurityGroupIngress({
    GroupId: groupId,
    IpPermissions: [{ IpProtocol: protocol ?? '-1', FromPort, ToPort, ...peer }],
  });
}

function allowedBy(rule: SecurityGroupRule): Allowed {
  const { IpProtocol = '', FromPort, ToPort } = rule;
  const ports = FromPort === ToPort ? `${FromPort}` : `${FromPort}-${ToPort}`;
  return { cidr: cidrOf(rule), protocol: IpProtocol, ports };
}

function cidrOf({ CidrIpv4, CidrIpv6 }: SecurityGroupRule): string {
  return CidrIpv4 ?? CidrIpv6 ?? '';
}
