import type { Permission } from './permission.ts';
import { missing, type Query } from './query.ts';
import { Rejection } from './rejection.ts';

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
        return { ...service, [name]: peer.required(field), ...(description ? { description } : {}) };
      }),
    );
    if (permissions.length === 0)
      throw new Rejection('MissingParameter', 'The request must contain a source.');
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

/** The id of the group; these groups stand in a VPC, where a name is not enough. */
export function readGroupId(query: Query): string {
  const id = query.text('GroupId');
  if (id !== undefined) return id;
  throw missing('groupName or groupId');
}

const PEERS = [
  { list: 'IpRanges', field: 'CidrIp', name: 'cidrIpv4' },
  { list: 'Ipv6Ranges', field: 'CidrIpv6', name: 'cidrIpv6' },
  { list: 'PrefixListIds', field: 'PrefixListId', name: 'prefixListId' },
  { list: 'Groups', field: 'GroupId', name: 'referencedGroupId' },
] as const;

function readService(query: Query): Pick<Permission, 'protocol' | 'fromPort' | 'toPort'> {
  const [fromPort, toPort] = [query.integer('FromPort'), query.integer('ToPort')];
  return {
    protocol: query.required('IpProtocol'),
    ...(fromPort === undefined ? {} : { fromPort }),
    ...(toPort === undefined ? {} : { toPort }),
  };
}
