import { DescribeSecurityGroupRulesCommand, EC2Client, EC2ServiceException } from '@aws-sdk/client-ec2';
import { onTestFinished } from 'vitest';
import { type Ec2, type Ec2Options, startEc2 } from '../../../src/emulators/ec2/index.ts';

/** An emulator for one test, a group in it, and the vendor's own client without its retries. */
export async function start(options?: Ec2Options): Promise<{ ec2: Ec2; client: EC2Client; groupId: string }> {
  const ec2 = await startEc2(options);
  const client = clientOf(ec2.url);
  onTestFinished(async () => {
    client.destroy();
    await ec2.close();
  });
  return { ec2, client, groupId: ec2.createGroup({ name: 'databases' }) };
}

function clientOf(endpoint: string): EC2Client {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  return new EC2Client({
    endpoint,
    region: 'us-west-2',
    maxAttempts: 1,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
}

/** `IpPermissions` that open one port to some addresses. */
export function tcp(port: number, ...cidrs: string[]) {
  return [{ IpProtocol: 'tcp', FromPort: port, ToPort: port, IpRanges: cidrs.map((CidrIp) => ({ CidrIp })) }];
}

/** The addresses that one read finds in a group, inbound only. */
export async function inboundCidrs(client: EC2Client, groupId: string): Promise<(string | undefined)[]> {
  const Filters = [{ Name: 'group-id', Values: [groupId] }];
  const { SecurityGroupRules = [] } = await client.send(new DescribeSecurityGroupRulesCommand({ Filters }));
  return SecurityGroupRules.filter((rule) => !rule.IsEgress).map((rule) => rule.CidrIpv4 ?? rule.CidrIpv6);
}

/** What a call was refused with; fails when it was not. */
export async function refusal(call: Promise<unknown>): Promise<EC2ServiceException> {
  try {
    await call;
  } catch (error) {
    if (error instanceof EC2ServiceException) return error;
    throw error;
  }
  throw new Error('The call was not refused.');
}

export async function code(call: Promise<unknown>): Promise<string> {
  return (await refusal(call)).name;
}
