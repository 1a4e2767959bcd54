import { expect, test } from 'vitest';
import { FILE_TARGET, type Workplace } from '../support/cli.ts';
import { addresses, awsCloud, gcpCloud } from '../support/pass.ts';
import { documentOf, expectNoStack, reportOf } from './documents.ts';
import { IMPATIENT, LIST, NOWHERE, refusal, serve, withList } from './setting.ts';

/** The error of the one target of a run that failed, which text tells in the two lines after its name. */
async function failedTarget(place: Workplace): Promise<{ code: string; message: string; hint: string }> {
  const ran = await place.json('check');
  expect(ran).toMatchObject({ code: 1, stderr: '' });
  expectNoStack(ran);
  const [target] = reportOf(ran).targets;
  expect(target?.status).toBe('failed');
  const text = await place.run('check');
  expectNoStack(text);
  expect(text.stdout).toContain(`error  ${target?.error?.message}\n         ${target?.error?.hint}`);
  return target?.error ?? { code: '', message: '', hint: '' };
}

test('a group that does not exist is named with its region', async () => {
  const aws = await awsCloud();
  const groupId = 'sg-0fffffffffffffff0';
  const error = await failedTarget(withList({ targets: [aws.target({ groupId })] }, aws.env));
  expect(error.code).toBe('target-missing');
  expect(error.message).toMatch(/sg-0fffffffffffffff0.*us-west-2/);
});

test('a permission that is missing is named', async () => {
  const gcp = await gcpCloud({ denied: ['compute.firewalls.list'] });
  const error = await failedTarget(withList({ targets: [gcp.target()] }, gcp.env));
  expect(error.code).toBe('permission-missing');
  expect(error.message).toContain('compute.firewalls.list');
  expect(error.message).toContain('acme-data');
});

test('credentials that are missing are told with what to set', async () => {
  const aws = await awsCloud();
  const { AWS_ENDPOINT_URL_EC2 = '' } = aws.env;
  const error = await failedTarget(withList({ targets: [aws.target()] }, { AWS_ENDPOINT_URL_EC2 }));
  expect(error.code).toBe('credentials-missing');
  expect(error.hint).toContain('environment');
});

test('without a network the run says which service could not be reached, for every target, within its deadline', async () => {
  const [aws, gcp] = [await awsCloud(), await gcpCloud()];
  const place = withList(
    { targets: [aws.target(), gcp.target()], safety: IMPATIENT },
    {
      ...aws.env,
      AWS_ENDPOINT_URL_EC2: NOWHERE,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE: `${NOWHERE}/compute/v1/`,
    },
  );
  const ran = await place.json('check');
  expectNoStack(ran);
  const errors = reportOf(ran).targets.map(({ error }) => error);
  for (const error of errors) {
    expect(['unreachable', 'deadline']).toContain(error?.code);
  }
  expect(ran.code).toBe(1);
});

test('one target that fails leaves the others alone, and the run ends with 1', async () => {
  const aws = await awsCloud();
  const missing = aws.target({ name: 'gone', groupId: 'sg-0fffffffffffffff0' });
  const place = withList({ targets: [missing, aws.target(), FILE_TARGET] }, aws.env);
  const report = reportOf(await place.json('sync'));
  expect(report.exitCode).toBe(1);
  expect(report.targets.map(({ status }) => status)).toEqual(['failed', 'changed', 'changed']);
  expect(aws.allowed()).toEqual(LIST);
});

test('a source that is moved, gone, malformed, empty or refused is told by its status and changes nothing', async () => {
  const site = await serve({
    '/moved': { status: 302, headers: { location: '/elsewhere' } },
    '/elsewhere': { body: LIST.join('\n') },
    '/login': { headers: { 'content-type': 'text/html' }, body: '<html>Log in</html>' },
    '/broken': { body: '34.19.100.1\nnot an address\n' },
    '/empty': { body: '# nothing\n' },
  });
  const url = (path: string) => ({ type: 'url', url: site + path, format: 'text' });
  const place = withList({ targets: [FILE_TARGET] });
  expect((await place.run('sync')).code).toBe(0);
  const before = place.read('allowed.txt');
  for (const [source, status, code] of [
    [url('/moved'), 'moved', 'source-moved'],
    [url('/gone'), 'unreachable', 'source-unreachable'],
    [url('/login'), 'malformed', 'source-malformed'],
    [url('/broken'), 'malformed', 'source-malformed'],
    [url('/empty'), 'empty', 'source-empty'],
    [{ type: 'url', url: `${NOWHERE}/list`, format: 'text' }, 'unreachable', 'source-unreachable'],
    [{ type: 'file', path: 'nowhere.txt', format: 'text' }, 'unreachable', 'file-unreadable'],
  ] as const) {
    place.configure({ targets: [FILE_TARGET], sources: [source], safety: { ...IMPATIENT, deadline: '3s' } });
    const ran = await place.json('sync');
    expectNoStack(ran);
    const report = reportOf(ran);
    expect(report.egress.sources[0], status).toMatchObject({ status, error: { code } });
    expect(report).toMatchObject({ exitCode: 1, error: { code }, egress: { cidrs: LIST } });
    expect(place.read('allowed.txt')).toBe(before);
  }
});

test('sources that disagree are told with what differs; a source that must not be asked is invalid config', async () => {
  const place = withList({ targets: [FILE_TARGET] });
  place.write('other.txt', addresses(4).join('\n'));
  const sources = ['list.txt', 'other.txt'].map((path) => ({ type: 'file', path, format: 'text' }));
  place.configure({ targets: [FILE_TARGET], sources });
  const shown = await place.json('sources');
  expect(shown.code).toBe(1);
  expect(documentOf(shown, 'sources')).toMatchObject({
    cidrs: [],
    refused: [{ guard: 'agreement', detail: expect.stringContaining('34.19.100.4/32') }],
  });
  expect((await place.run('sources')).stdout).toContain('2 sources disagree');
  expect(reportOf(await place.json('sync'))).toMatchObject({
    exitCode: 1,
    error: { code: 'sources-disagree' },
  });

  place.configure({
    targets: [FILE_TARGET],
    sources: [{ type: 'url', url: 'http://example.org/', format: 'text' }],
  });
  const said = await refusal(place, ['sources'], { code: 64, error: 'config-invalid' });
  expect(said).toContain('sources[0].url');
});

test('a list that a guard refuses is told with the guard and its numbers, and no approval releases it', async () => {
  const place = withList({ targets: [FILE_TARGET] });
  place.write('list.txt', '34.19.100.1\n10.0.0.1\n');
  const report = reportOf(await place.json('sync'));
  expect(report).toMatchObject({
    exitCode: 1,
    error: { code: 'list-refused' },
    egress: { cidrs: null, refused: [{ guard: 'special-addresses' }] },
    targets: [{ status: 'skipped' }],
  });
  const again = reportOf(await place.json('sync', '--approve', report.egress.listId ?? ''));
  expect(again.exitCode).toBe(1);
  const shown = await place.json('sources');
  expect(shown.code).toBe(1);
  expect(documentOf(shown, 'sources')).toMatchObject({
    cidrs: [],
    refused: [{ guard: 'special-addresses' }],
  });
});
