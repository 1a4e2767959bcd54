import { FatalError } from '../../src/errors.ts';
import type { Io } from '../provider.ts';
import {
  type Access,
  clientConfig,
  endpointOf,
  load,
  unlessAborted,
  withoutVersionWarning,
} from './client.ts';
import { translate } from './errors.ts';

/** "Inbound or outbound rules per security group": https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html */
const QUOTA = { ServiceCode: 'vpc', QuotaCode: 'L-0EA8095F' } as const;

/**
 * How many inbound rules a security group of this account and region may have, per family; null when it cannot be
 * read, for want of the permission `servicequotas:GetServiceQuota` or of an answer. Never throws for that.
 * https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html
 */
export async function rulesQuota(access: Access, io: Io): Promise<number | null> {
  // Who sends EC2 elsewhere does not mean the real cloud for its quotas.
  if (endpointOf('EC2', io.env) && !endpointOf('SERVICE_QUOTAS', io.env)) return null;
  const name = '@aws-sdk/client-service-quotas';
  const operation = 'GetServiceQuota';
  try {
    const { ServiceQuotas } = await load(() => import('@aws-sdk/client-service-quotas'), name);
    const config = await clientConfig('SERVICE_QUOTAS', access, io.env);
    const client = withoutVersionWarning(() => new ServiceQuotas(config));
    const value = await io.request(operation, async (signal) => {
      try {
        const { Quota } = await unlessAborted(signal, client.getServiceQuota(QUOTA, { abortSignal: signal }));
        return Quota?.Value;
      } catch (cause) {
        const failure = translate(
          cause,
          { permission: `servicequotas:${operation}`, where: 'quotas' },
          signal,
        );
        // The default stands: no reason to hold the run up with further tries.
        throw new FatalError('request-refused', failure.message, { cause: failure });
      }
    });
    return value !== undefined && Number.isInteger(value) && value > 0 ? value : null;
  } catch {
    return null;
  }
}
