import { expect, test } from 'vitest';
import { openEc2 } from '../../../providers/aws/client.ts';
import { translate } from '../../../providers/aws/errors.ts';
import type { EmulatorResponse } from '../../../src/emulators/server.ts';
import { ConflictError, FatalError, TransientError } from '../../../src/errors.ts';
import { testIo } from '../../support/io.ts';
import { environment, GROUP, openGroup, refusal, scripted } from './fixture.ts';

async function errorOf(response: EmulatorResponse) {
  const { url } = await scripted(() => response);
  const { opened, io } = await openGroup(url, GROUP);
  const error: unknown = await opened.read().catch((thrown: unknown) => thrown);
  return { error, requests: io.operations.length };
}

test.each([
  ['RequestLimitExceeded', 503, 'throttled'],
  ['Throttling', 400, 'throttled'],
  ['ThrottlingException', 400, 'throttled'],
  ['TooManyRequestsException', 429, 'throttled'],
  ['SlowDown', 503, 'throttled'],
  ['Unavailable', 503, 'service-error'],
  ['InternalError', 500, 'service-error'],
])('%s (HTTP %i) is transient, tried again by us alone, and told as %s', async (code, status, expected) => {
  const { error, requests } = await errorOf(refusal(code, 'Later.', status));
  expect(error).toBeInstanceOf(TransientError);
  expect(error).toMatchObject({ code: expected, message: expect.stringContaining(GROUP) });
  expect(requests).toBe(6);
});

test.each([
  ['UnauthorizedOperation', 403, 'permission-missing'],
  ['AccessDenied', 403, 'permission-missing'],
  ['AuthFailure', 401, 'credentials-missing'],
  ['InvalidClientTokenId', 403, 'credentials-missing'],
  ['ExpiredToken', 400, 'credentials-missing'],
  ['RequestExpired', 400, 'credentials-missing'],
  ['SignatureDoesNotMatch', 403, 'credentials-missing'],
  ['InvalidGroup.NotFound', 400, 'target-missing'],
  ['InvalidGroupId.Malformed', 400, 'target-missing'],
  ['RulesPerSecurityGroupLimitExceeded', 400, 'target-full'],
  ['InvalidParameterValue', 400, 'request-refused'],
])('%s (HTTP %i) is fatal, asked once, and told as %s', async (code, status, expected) => {
  const { error, requests } = await errorOf(refusal(code, 'No.', status));
  expect(error).toBeInstanceOf(FatalError);
  expect(error).toMatchObject({ code: expected, message: expect.stringContaining(GROUP) });
  expect(requests).toBe(1);
});

test.each([
  'InvalidPermission.Duplicate',
  'InvalidPermission.NotFound',
  'InvalidSecurityGroupRuleId.NotFound',
])('%s is a lost race', async (code) => {
  const { error, requests } = await errorOf(refusal(code, 'No.'));
  expect(error).toBeInstanceOf(ConflictError);
  expect(requests).toBe(1);
});

test('a missing permission is named, with the object', async () => {
  const { error } = await errorOf(refusal('UnauthorizedOperation', 'You are not authorized.', 403));
  expect(error).toMatchObject({
    message: expect.stringContaining(
      `no permission ec2:DescribeSecurityGroupRules on security group ${GROUP}`,
    ),
    hint: expect.stringContaining('ec2:DescribeSecurityGroupRules'),
  });
});

test('the message of AWS knows better which permission it was, and is cut before its secrets', async () => {
  const message =
    'User: arn:aws:iam::123456789012:user/x is not authorized to perform: sts:AssumeRole on resource: y. ' +
    'Encoded authorization failure message: AAAABBBB';
  const { error } = await errorOf(refusal('AccessDenied', message, 403));
  expect(error).toMatchObject({ hint: expect.stringContaining('sts:AssumeRole') });
  expect(String(error)).not.toContain('AAAABBBB');
});

test('a wrong signature does not quote the request', async () => {
  const message = "The Canonical String for this request should have been 'POST x-amz-security-token:CANARY'";
  const { error } = await errorOf(refusal('SignatureDoesNotMatch', message, 403));
  expect(String(error)).not.toContain('CANARY');
});

test('Retry-After is passed on', async () => {
  const { error } = await errorOf(refusal('RequestLimitExceeded', 'Later.', 503, { 'retry-after': '7' }));
  expect(error).toMatchObject({ code: 'throttled', retryAfterMs: 7000 });
  const dated = await errorOf(
    refusal('Unavailable', 'Later.', 503, { 'retry-after': 'Fri, 31 Dec 1999 23:59:59 GMT' }),
  );
  expect(dated.error).toMatchObject({ code: 'service-error', retryAfterMs: undefined });
});

test.each([
  [{ status: 502, body: '<html>Bad gateway</html>' }, 'service-error'],
  [{ status: 429, body: '' }, 'throttled'],
  [{ status: 403, body: '<html>Forbidden by proxy</html>' }, 'bad-answer'],
  [{ status: 302, headers: { location: 'https://login.example/' }, body: '' }, 'bad-answer'],
])('an error answer that is none of AWS (%j) is told as %s', async (response, code) => {
  expect((await errorOf(response)).error).toMatchObject({ code });
});

test('an endpoint where nobody listens is unreachable', async () => {
  const { opened } = await openGroup('http://127.0.0.1:1', GROUP);
  await expect(opened.read()).rejects.toMatchObject({
    code: 'unreachable',
    message: expect.stringContaining('ECONNREFUSED'),
  });
});

test('a call that hangs ends with its signal, as a time-out', async () => {
  const { url } = await scripted(() => ({ status: 200, body: '' }));
  const io = testIo({ env: environment(url), callTimeoutMs: 30 });
  const ec2 = await openEc2({ region: 'us-west-2' }, io);
  const hanging = ec2.call('DescribeSecurityGroupRules', 'it', () => new Promise(() => {}));
  await expect(hanging).rejects.toMatchObject({ code: 'timeout' });
});

test('what ended the run is told as it is', () => {
  const deadline = new TransientError('deadline', 'the run reached its deadline');
  const call = { permission: 'ec2:DescribeSecurityGroupRules', where: 'it' };
  expect(translate(new Error('Request aborted'), call, AbortSignal.abort(deadline))).toBe(deadline);
});

test.each([undefined, null, 'text', 42, {}, new Error('')])(
  'whatever is thrown (%s) becomes an error',
  (thrown) => {
    const error = translate(thrown, { permission: 'ec2:X', where: 'it' });
    expect(error).toMatchObject({ code: 'internal', message: expect.stringContaining('ec2:X on it failed') });
  },
);

test('control characters of a message are not passed on', () => {
  const error = translate(
    Object.assign(new Error('a\u001b[31mb\nc'), { name: 'Odd', $metadata: { httpStatusCode: 400 } }),
    {
      permission: 'ec2:X',
      where: 'it',
    },
  );
  expect(error.message).toBe('AWS refused ec2:X on it (Odd: a [31mb)');
});
