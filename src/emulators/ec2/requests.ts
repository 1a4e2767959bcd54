import { missingSource, type Permission } from './permission.ts';
import { missing, type Query } from './query.ts';
import { invalidValue, Rejection } from './rejection.ts';

/**
 * The permissions of `IpPermissions.N`, or of the older `CidrIp`, `IpProtocol` and ports beside them, one for each peer.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html
 */
export function readPermissions(query: Query): Permission[] {
  const single = query.text('CidrIp');
  if (single !== undefined) return [{ ...readService(query), cidrIpv4: single }];
  return query.items('IpPermissions').flatMap((item) => {
    const service = readService(item);
    const permissions = PEERS.flatMap(({ list, field, name }) =>
      item.items(list).map((peer) => {
        const description = peer.text('Description');
        const value = list === 'Groups' ? readReference(peer) : peer.required(field);
        return { ...service, [name]: value, ...(description ? { description } : {}) };
      }),
    );
    if (permissions.length === 0) throw missingSource();
    return permissions;
  });
}

/** `SecurityGroupRuleRequest` of ModifySecurityGroupRules: the same, flat. */
export function readPermission(query: Query): Permission {
  const fields = {
    cidrIpv4: query.text('CidrIpv4'),
    cidrIpv6: query.text('CidrIpv6'),
    prefixListId: query.text('PrefixListId'),
    referencedGroupId: query.text('ReferencedGroupId'),
    description: query.text('Description') || undefined,
  };
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return { ...readService(query), ...Object.fromEntries(given) };
}

/**
 * The id of the group; these groups stand in a VPC of one's own, where a name is not enough. Recorded:
 * https://github.com/aws/aws-cli/issues/743
 */
export function readGroupId(query: Query): string {
  const [id, name] = [query.text('GroupId'), query.text('GroupName')];
  if (id !== undefined) return id;
  if (name === undefined) throw missing('groupName or groupId');
  throw invalidValue(
    `Invalid value '${name}' for groupName. You may not reference Amazon VPC security groups by name. ` +
      'Please use the corresponding id for this operation.',
  );
}

/** The group that a rule refers to, by its id. Recorded: https://github.com/aws/aws-sdk-js/issues/417 */
function readReference(peer: Query): string {
  const id = peer.text('GroupId');
  peer.text('GroupName');
  // There is one account here, so the owner is not looked at.
  peer.text('UserId');
  if (!id) throw new Rejection('MissingParameter', 'Source group ID missing.');
  return id;
}

const PEERS = [
  { list: 'IpRanges', field: 'CidrIp', name: 'cidrIpv4' },
  { list: 'Ipv6Ranges', field: 'CidrIpv6', name: 'cidrIpv6' },
  { list: 'PrefixListIds', field: 'PrefixListId', name: 'prefixListId' },
  { list: 'Groups', field: 'GroupId', name: 'referencedGroupId' },
] as const;

function readService(query: Query): Pick<Permission, 'protocol' | 'fromPort' | 'toPort'> {
  const [fromPort, toPort] = [query.integer('FromPort'), query.integer('ToPort')];
  const protocol = query.text('IpProtocol');
  // Recorded: https://github.com/nanovms/ops/issues/735
  if (!protocol)
    throw invalidValue(
      "Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly.",
    );
  return {
    protocol,
    ...(fromPort === undefined ? {} : { fromPort }),
    ...(toPort === undefined ? {} : { toPort }),
  };
}
