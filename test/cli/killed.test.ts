import { expect, test } from 'vitest';
import { formatMarker } from '../../providers/provider.ts';
import type { EmulatorOptions, LoggedRequest } from '../../src/emulators/server.ts';
import { type Running, type Workplace, workplace } from '../support/cli.ts';
import { awsCloud, gcpCloud } from '../support/pass.ts';
import { expectTidy, NEW, OLD, walkDisk } from './disk.ts';
import { reportOf } from './documents.ts';

/*
 * A process that is killed cannot tidy up. Each test walks through every request, or every step on the disk, of one
 * sync: there the process is killed, and the next run must find its way.
 */

/** One installation and one cloud, both fresh. */
interface Setting {
  readonly place: Workplace;
  readonly requests: readonly LoggedRequest[];
  readonly allowed: () => readonly string[];
}

/** Before a request takes effect, or after that and before its answer. */
interface Point {
  readonly index: number;
  readonly when: 'before' | 'after';
}

/** Before each request, and after each that writes: for the others that is the same as before the next. */
function pointsOf(requests: readonly LoggedRequest[]): Point[] {
  return requests.flatMap(({ writes }, index): Point[] => [
    { index, when: 'before' },
    ...(writes ? [{ index, when: 'after' } as const] : []),
  ]);
}

/**
 * Kills one sync at each of its requests in turn, each time in a fresh setting that allows `old`, and lets the next
 * run end in {@link NEW}. At no request boundary does a published address that was allowed lose access, or one get it
 * that was never published.
 */
async function walk(
  build: (options: EmulatorOptions) => Promise<Setting>,
  old: readonly string[],
): Promise<string[]> {
  const undisturbed = await build({});
  expect((await undisturbed.place.run('sync')).code).toBe(0);
  expect(undisturbed.allowed()).toEqual(NEW);
  const operations = undisturbed.requests.map(({ operation }) => operation);

  for (const point of pointsOf(undisturbed.requests)) {
    const name = `killed ${point.when} ${operations[point.index]} (${point.index})`;
    let running: Running | undefined;
    const wrong: string[] = [];
    const setting = await build({
      fault: ({ index }) => {
        if (index !== point.index) return undefined;
        if (point.when === 'before') running?.child.kill('SIGKILL');
        return { kind: 'hang', when: point.when };
      },
      observe: ({ index, operation }) => {
        const allowed = setting.allowed();
        for (const cidr of old)
          if (NEW.includes(cidr) && !allowed.includes(cidr)) wrong.push(`${operation}: ${cidr} lost access`);
        for (const cidr of allowed)
          if (!NEW.includes(cidr) && !old.includes(cidr)) wrong.push(`${operation}: ${cidr} got access`);
        if (index === point.index) running?.child.kill('SIGKILL');
      },
    });
    running = setting.place.start('sync');
    expect((await running.ended).signal, name).toBe('SIGKILL');
    const report = reportOf(await setting.place.json('sync'));
    expect(report.exitCode, `${name}: ${JSON.stringify(report.targets)}`).toBe(0);
    expect(setting.allowed(), name).toEqual(NEW);
    expect(wrong, name).toEqual([]);
    expectTidy(setting.place);
  }
  return operations;
}

test('a sync of a security group, killed at any of its requests, ends in sync when it is run again', async () => {
  const operations = await walk(async (options) => {
    const aws = await awsCloud(options);
    for (const cidr of OLD) aws.add(cidr, formatMarker({ owner: 'acme', target: 'orders' }));
    const place = workplace({ targets: [aws.target()] }, aws.env);
    place.write('list.txt', NEW.join('\n'));
    return { place, requests: aws.ec2.requests, allowed: aws.allowed };
  }, OLD);
  expect(operations).toEqual([
    'DescribeSecurityGroupRules',
    'AuthorizeSecurityGroupIngress',
    'DescribeSecurityGroupRules',
    'RevokeSecurityGroupIngress',
  ]);
}, 120_000);

test('a sync that makes a GCP rule, killed at any of its requests, ends in sync when it is run again', async () => {
  const operations = await walk(async (options) => {
    const gcp = await gcpCloud(options);
    const place = workplace({ targets: [gcp.target()] }, gcp.env);
    place.write('list.txt', NEW.join('\n'));
    return { place, requests: gcp.compute.requests, allowed: gcp.allowed };
  }, []);
  expect(operations).toContain('firewalls.insert');
}, 120_000);

test('a sync that changes a GCP rule, killed at any of its requests, ends in sync when it is run again', async () => {
  const operations = await walk(async (options) => {
    const gcp = await gcpCloud(options);
    gcp.compute.insert('acme-data', {
      name: 'allow-community-cloud',
      network: 'global/networks/default',
      description: formatMarker({ owner: 'acme', target: 'analytics' }),
      allowed: [{ IPProtocol: 'tcp', ports: ['5432'] }],
      sourceRanges: [...OLD],
      targetTags: ['postgres'],
    });
    const place = workplace({ targets: [gcp.target()] }, gcp.env);
    place.write('list.txt', NEW.join('\n'));
    return { place, requests: gcp.compute.requests, allowed: gcp.allowed };
  }, OLD);
  expect(operations).toContain('firewalls.patch');
}, 120_000);

test(
  'a sync of a file, killed at every fourth step on the disk, ends in sync when it is run again',
  () => walkDisk({ every: 4 }),
  120_000,
);
