/** The way to EC2 for every adapter of this folder: access options, the SDK loaded late, credentials, one request. */
import type { EC2, EC2ClientConfig } from '@aws-sdk/client-ec2';
import { getProxyForUrl } from 'proxy-from-env';
import { z } from 'zod';
import { FatalError, messageOf } from '../../src/errors.ts';
import type { Io } from '../provider.ts';
import { oneLine, translate } from './errors.ts';

type Env = Io['env'];
/** As the SDK's endpoint variables spell them. */
type AwsService = 'EC2' | 'STS' | 'SERVICE_QUOTAS';
type Credentials = NonNullable<EC2ClientConfig['credentials']>;

const roleArn = z
  .string()
  .regex(
    /^arn:aws[a-z-]*:iam::\d{12}:role\/\S+$/,
    'must be a role ARN such as arn:aws:iam::123456789012:role/sync',
  );

/** How a target reaches its account: options that all AWS adapters share. */
export const accessSchema = z.strictObject({
  region: z
    .string()
    .regex(/^[a-z]{2,}(-[a-z]+)+-\d{1,2}$/, 'must be a region such as us-west-2')
    .describe('AWS region, such as `us-west-2`'),
  profile: z.string().min(1).optional().describe('Profile of ~/.aws/config. Default: the SDK’s own chain'),
  assumeRole: z
    .union([
      roleArn,
      z.strictObject({
        roleArn: roleArn.describe('ARN of the role'),
        externalId: z.string().min(2).max(1224).optional().describe('What the role asks for, if it does'),
        sessionName: z
          .string()
          .regex(/^[\w+=,.@-]{2,64}$/, 'must be 2 to 64 letters, digits or +=,.@-')
          .optional()
          .describe('What CloudTrail calls the session'),
      }),
    ])
    .transform((role) => (typeof role === 'string' ? { roleArn: role } : role))
    .optional()
    .describe('Role to assume with the credentials found: its ARN, or `{roleArn, externalId, sessionName}`'),
  accountId: z
    .string()
    .regex(/^\d{12}$/, 'must be an account id of 12 digits')
    .optional()
    .describe('The account that must own the object'),
});

export type Access = z.output<typeof accessSchema>;

/** The credentials and region that share one rate limit. */
export function accountOf({ region, profile, assumeRole }: Access): string {
  return `aws ${region}${profile ? ` profile ${profile}` : ''}${assumeRole ? ` role ${assumeRole.roleArn}` : ''}`;
}

/** Region and whose credentials, for people: `us-west-2, account 123456789012`. */
export function placeOf({ region, profile, assumeRole, accountId }: Access, env: Env): string {
  const named = profile ?? env.AWS_PROFILE;
  if (accountId) return `${region}, account ${accountId}`;
  if (assumeRole) return `${region}, account of role ${assumeRole.roleArn}`;
  return named ? `${region}, account of profile ${named}` : `${region}, account of the default credentials`;
}

export interface Ec2 {
  /**
   * One request. `operation` is EC2's name for it, which is its permission too; `where` stands in messages.
   * Throws errors of the catalogue only.
   */
  call<T>(
    operation: string,
    where: string,
    send: (client: EC2, options: { abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T>;
}

/** Loads the SDK and makes the client; no request yet. Throws `sdk-missing`. */
export async function openEc2(access: Access, io: Io): Promise<Ec2> {
  const { EC2 } = await load(() => import('@aws-sdk/client-ec2'), '@aws-sdk/client-ec2');
  const config = await clientConfig('EC2', access, io.env);
  const client = withoutVersionWarning(() => new EC2(config));
  return {
    call: (operation, where, send) =>
      io.request(operation, async (signal) => {
        try {
          return await unlessAborted(signal, send(client, { abortSignal: signal }));
        } catch (error) {
          throw translate(error, { permission: `ec2:${operation}`, where }, signal);
        }
      }),
  };
}

/** What every client of this folder is made with: where, as whom, one attempt. Throws `sdk-missing`. */
export async function clientConfig(service: AwsService, access: Access, env: Env) {
  const { region, profile } = access;
  const endpoint = endpointOf(service, env);
  const attempt = await oneAttempt(endpoint ?? `https://${HOSTS[service]}.${region}.amazonaws.com`);
  const credentials = await credentialsOf(access, env, attempt);
  return {
    region,
    ...(endpoint && { endpoint }),
    ...(profile && { profile }),
    ...(credentials && { credentials }),
    ...attempt,
  };
}

/** Only to look up whether NO_PROXY names them; the SDK finds its endpoints itself. */
const HOSTS: Readonly<Record<AwsService, string>> = {
  EC2: 'ec2',
  STS: 'sts',
  SERVICE_QUOTAS: 'servicequotas',
};

/**
 * Only the core retries. The time limits are a second line behind the signal, for the calls that the SDK makes of
 * its own (STS); without `throwOnRequestTimeout` it would only warn. The SDK knows no proxy by itself:
 * https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/node-configuring-proxies.html
 */
async function oneAttempt(url: string) {
  const proxy = getProxyForUrl(url);
  const agent = proxy && new (await import('https-proxy-agent')).HttpsProxyAgent(proxy);
  return {
    maxAttempts: 1,
    retryMode: 'standard',
    requestHandler: {
      connectionTimeout: 10_000,
      requestTimeout: 60_000,
      throwOnRequestTimeout: true,
      ...(agent && { httpsAgent: agent }),
    },
  };
}

/**
 * The SDK warns on stderr about Node versions that it will drop some day. Its only switch is this variable, read once
 * by the first constructor; set for just that synchronous call, nobody else ever sees it.
 */
export function withoutVersionWarning<T>(construct: () => T): T {
  const name = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED';
  const before = process.env[name];
  process.env[name] = 'true';
  try {
    return construct();
  } finally {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  }
}

/**
 * As the SDK finds it, but from the environment that the core lends. What stands in the config file is still found
 * by the SDK itself. https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
 */
export function endpointOf(service: AwsService, env: Env): string | undefined {
  if (env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === 'true') return undefined;
  return env[`AWS_ENDPOINT_URL_${service}`] || env.AWS_ENDPOINT_URL || undefined;
}

/** Undefined leaves it to the SDK's own chain. https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html */
async function credentialsOf(
  access: Access,
  env: Env,
  attempt: Awaited<ReturnType<typeof oneAttempt>>,
): Promise<Credentials | undefined> {
  const { profile, assumeRole, region } = access;
  if (!profile && !assumeRole) return environmentCredentials(env);
  const providers = await load(
    () => import('@aws-sdk/credential-providers'),
    '@aws-sdk/credential-providers',
  );
  const own = profile ? providers.fromIni({ profile }) : environmentCredentials(env);
  if (!assumeRole) return own;
  const endpoint = endpointOf('STS', env);
  const assume = providers.fromTemporaryCredentials({
    params: {
      RoleArn: assumeRole.roleArn,
      RoleSessionName: assumeRole.sessionName ?? 'allowlist-sync',
      ...(assumeRole.externalId && { ExternalId: assumeRole.externalId }),
    },
    clientConfig: { region, ...attempt, ...(endpoint && { endpoint }) },
    ...(own && { masterCredentials: own }),
  });
  const where = `role ${assumeRole.roleArn}`;
  return async (...given) => {
    try {
      return await assume(...given);
    } catch (error) {
      throw translate(error, { permission: 'sts:AssumeRole', where });
    }
  };
}

/** First in the SDK's chain too, unless a profile is named. */
function environmentCredentials(env: Env) {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (env.AWS_PROFILE || !accessKeyId || !secretAccessKey) return undefined;
  const sessionToken = env.AWS_SESSION_TOKEN;
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

export async function load<T>(loader: () => Promise<T>, name: string): Promise<T> {
  try {
    return await loader();
  } catch (cause) {
    throw new FatalError(
      'sdk-missing',
      `the package ${name} cannot be loaded: ${oneLine(messageOf(cause))}`,
      {
        hint: `npm install ${name}`,
        cause,
      },
    );
  }
}

/** The SDK does not look at the signal while it fetches credentials. */
export function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
