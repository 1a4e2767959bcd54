import { EC2Client, EC2ServiceException } from '@aws-sdk/client-ec2';

/** The vendor's own client, without its retries. The variable silences its warning about old versions of Node. */
export function clientOf(emulator: { url: string }): EC2Client {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  return new EC2Client({
    endpoint: emulator.url,
    region: 'us-west-2',
    maxAttempts: 1,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
}

/** The code of the refusal that a call ends in; fails when it succeeds. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  return (await refusalOf(call)).name;
}

export async function refusalOf(call: Promise<unknown>): Promise<EC2ServiceException> {
  try {
    await call;
  } catch (error) {
    if (error instanceof EC2ServiceException) return error;
    throw error;
  }
  throw new Error('The call was not refused.');
}
