import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Compute, startCompute } from '../emulators/compute/index.ts';
import { type Ec2, startEc2 } from '../emulators/ec2/index.ts';

export const REGION = 'us-west-2';
export const PROJECT = 'demo-project';

/** What says nothing of anybody's: the embedded clouds take any credentials. */
export const CREDENTIALS = {
  AWS_ACCESS_KEY_ID: 'any-key-id',
  AWS_SECRET_ACCESS_KEY: 'any-secret-key',
} as const;

/** Both embedded clouds, empty but for one security group and one network, and a folder for whoever uses them. */
export interface Clouds {
  readonly ec2: Ec2;
  readonly compute: Compute;
  readonly groupId: string;
  readonly folder: string;
  /** What sends this tool there, and nowhere else. */
  readonly env: Readonly<Record<string, string>>;
}

export interface CloudOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Called after each request to one of the clouds, before it is answered. */
  readonly observe?: () => void;
}

/** Runs `work` with clouds and a folder that are gone afterwards, whatever it does. */
export async function withClouds<T>(
  { now, observe = () => undefined }: CloudOptions,
  work: (clouds: Clouds) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'allowlist-sync-demo-'));
  const started: { close(): Promise<void> }[] = [];
  try {
    const ec2 = await startEc2({ region: REGION, observe });
    started.push(ec2);
    const compute = await startCompute({ project: PROJECT, now, observe });
    started.push(compute);
    const groupId = ec2.createGroup({ name: 'orders-db' });
    return await work({ ec2, compute, groupId, folder, env: environmentOf(ec2, compute) });
  } finally {
    await Promise.allSettled(started.map((cloud) => cloud.close()));
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * The variables for this tool, the aws CLI and the gcloud CLI. gcloud wants the path, and the slash at its end:
 * https://docs.cloud.google.com/sdk/gcloud/reference/topic/configurations (`api_endpoint_overrides`)
 */
function environmentOf(ec2: Ec2, compute: Compute): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_EC2: ec2.url,
    ...CREDENTIALS,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_EC2_METADATA_DISABLED: 'true',
    CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE: `${compute.url}/compute/v1/`,
    CLOUDSDK_AUTH_DISABLE_CREDENTIALS: 'true',
    CLOUDSDK_CORE_PROJECT: PROJECT,
  };
}
