import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { webhookDocumentSchema } from '../../src/alerts/webhook.ts';
import { type Killer, killer } from '../support/killer.ts';
import { addresses, awsCloud, type Installation, installation } from '../support/pass.ts';

interface Receiver {
  readonly url: string;
  /** What was posted since the last call: `type reason key` of each alert. */
  told(): string[];
  /** Every title and line that was ever posted. */
  readonly texts: string[];
  fail: boolean;
}

async function receiver(): Promise<Receiver> {
  const posted: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    if (one.fail) return void response.writeHead(400).end('no');
    const { alerts } = webhookDocumentSchema.parse(JSON.parse(Buffer.concat(chunks).toString()));
    for (const { type, reason, key, title, lines, action } of alerts) {
      posted.push(`${type} ${reason} ${key}`);
      one.texts.push(title, ...lines, action);
    }
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close().closeAllConnections());
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const one: Receiver = {
    url: `http://127.0.0.1:${port}/hook`,
    told: () => posted.splice(0),
    texts: [],
    fail: false,
  };
  return one;
}

async function start(safety: Record<string, unknown> = {}, observe: Killer['observe'] = () => undefined) {
  const [aws, hook] = [await awsCloud({ observe }), await receiver()];
  const place = await installation({
    targets: [aws.target()],
    env: aws.env,
    published: addresses(3),
    config: { alerts: [{ type: 'webhook', url: hook.url }], safety },
  });
  await place.sync();
  hook.told();
  return { aws, hook, place, later: (by: string) => later(place, by) };
}

async function later(place: Installation, by: string) {
  place.clock.advance(by);
  return place.sync();
}

test('the first pass tells of the list and of what was done; a quiet pass tells nothing', async () => {
  const [aws, hook] = [await awsCloud(), await receiver()];
  const place = await installation({
    targets: [aws.target()],
    env: aws.env,
    published: addresses(3),
    config: { alerts: [{ type: 'webhook', url: hook.url }] },
  });
  const report = await place.sync();
  expect(report.alerts).toEqual([
    { type: 'egress.changed', severity: 'warning', delivered: true },
    { type: 'target.applied', severity: 'info', delivered: true },
  ]);
  expect(hook.told().map((line) => line.split(' ')[0])).toEqual(['egress.changed', 'target.applied']);
  expect((await later(place, '15m')).alerts).toEqual([]);
  expect((await later(place, '25h')).alerts).toEqual([]);
  await place.dryRun();
  await place.check();
  expect(hook.told()).toEqual([]);
});

test('a hand is told of, and so is its repair; our own write of the last five minutes is no hand', async () => {
  const { aws, hook, later } = await start();
  aws.remove('34.19.100.1/32');
  await later('2m');
  expect(hook.told().filter((line) => line.startsWith('drift'))).toEqual([]);
  aws.remove('34.19.100.1/32');
  await later('6m');
  expect(hook.told()).toEqual([
    'drift.found began drift.found:orders',
    'target.applied event target.applied:orders',
  ]);
  await later('15m');
  expect(hook.told()).toEqual(['recovered recovered drift.found:orders']);
});

test('an entry that we removed and a late read still shows is no hand’s doing', async () => {
  const { aws, hook, place, later } = await start({ removalDelay: '0s', maxShrink: { percent: null } });
  await place.publish(addresses(2));
  await later('1h');
  hook.told();
  aws.add('34.19.100.3/32', 'allowlist-sync/v1 owner=acme target=orders');
  const report = await later('3m');
  expect(report.targets[0]?.drift).toHaveLength(1);
  expect(hook.told()).toEqual(['target.applied event target.applied:orders']);
});

test('a fight is told once, however often the entry comes and goes, and once more when it is over', async () => {
  const { aws, hook, later } = await start();
  const contested: string[] = [];
  for (let round = 0; round < 6; round += 1) {
    aws.remove('34.19.100.1/32');
    await later('1h');
    await later('15m');
    contested.push(...hook.told().filter((line) => line.includes('contested')));
  }
  expect(contested).toEqual(['drift.found began drift.contested:orders']);
  expect(hook.texts.join('\n')).toContain('infrastructure as code');
  await later('25h');
  expect(hook.told()).toEqual(['recovered recovered drift.contested:orders']);
});

test('a fight that goes on every minute is told too, though every read is within five minutes of our write', async () => {
  const { aws, hook, later } = await start();
  for (let round = 0; round < 4; round += 1) {
    aws.remove('34.19.100.1/32');
    await later('1m');
  }
  expect(hook.told()).toContain('drift.found began drift.contested:orders');
});

test('a source that fails, a list that is held, a target that fails: told when it begins and when it is over', async () => {
  const { aws, hook, place, later } = await start();
  await place.publishText('<html>');
  await later('15m');
  expect(hook.told()).toEqual(['source.failed began source.failed:file list-0.txt']);
  await later('15m');
  expect(hook.told()).toEqual([]);
  await place.publish(addresses(9));
  await later('15m');
  expect(hook.told().sort()).toEqual([
    'egress.held began egress.held',
    'recovered recovered source.failed:file list-0.txt',
  ]);
  expect(hook.texts.join('\n')).toMatch(/sync --approve list-[0-9a-f]{12} --config /);
  await later('25h');
  expect(hook.told()).toEqual(['egress.held repeated egress.held']);
  await place.publish([...addresses(3), '10.0.0.1/32']);
  await later('15m');
  expect(hook.told().sort()).toEqual([
    'egress.refused began egress.refused',
    'recovered recovered egress.held',
  ]);
  await place.publish(addresses(3));
  place.configure({ targets: [aws.target({ groupId: 'sg-0fffffffffffffff0' })] });
  await later('15m');
  expect(hook.told().sort()).toEqual([
    'recovered recovered egress.refused',
    'target.failed began target.failed:orders',
  ]);
});

test('sources that disagree are told with both differences', async () => {
  const [aws, hook] = [await awsCloud(), await receiver()];
  const place = await installation({
    targets: [aws.target()],
    env: aws.env,
    published: addresses(3),
    sources: 2,
    config: { alerts: [{ type: 'webhook', url: hook.url }] },
  });
  await place.sync();
  await place.publish(addresses(4), 1);
  await later(place, '15m');
  expect(hook.told()).toContain('sources.disagree began sources.disagree');
  expect(hook.texts.join('\n')).toContain('1 (34.19.100.4/32) missing here');
  expect(hook.texts.join('\n')).toContain('1 (34.19.100.4/32) only here');
});

test('nothing confirmed for too long is an alert; a list that waits for approval is no such thing', async () => {
  const { hook, place, later } = await start();
  await place.publish(addresses(9));
  await later('50m');
  await later('50m');
  expect(hook.told().filter((line) => line.startsWith('stale'))).toEqual([]);
  await place.publishText(null);
  await later('44m');
  expect(hook.told().filter((line) => line.startsWith('stale'))).toEqual([]);
  await later('2m');
  expect(hook.told()).toContain('stale began stale');
});

test('a channel that fails stops nothing, ends the run with 1, and is told at the next run', async () => {
  const { aws, hook, place } = await start();
  hook.fail = true;
  await place.publish(addresses(4));
  const failed = await place.sync();
  expect(failed.exitCode).toBe(1);
  expect(failed.alerts.map(({ delivered }) => delivered)).toEqual([false, false]);
  expect(aws.allowed()).toEqual(addresses(4));
  hook.fail = false;
  expect((await later(place, '15m')).exitCode).toBe(0);
  expect(hook.told().map((line) => line.split(' ')[0])).toEqual(['egress.changed', 'target.applied']);
});

test('a change of the list that a killed run did not come to tell is told by the next one', async () => {
  const kill = killer();
  const { hook, place, later } = await start({}, kill.observe);
  await place.publish(addresses(4));
  await kill.during((killed) => place.sync({ killed }));
  expect(hook.told()).toEqual([]);
  await later('15m');
  expect(hook.told().map((line) => line.split(' ')[0])).toEqual(['egress.changed']);
  await later('15m');
  expect(hook.told()).toEqual([]);
});

test('what two killed runs did not come to tell is told as one change, without what came and went', async () => {
  const kill = killer();
  const { hook, place, later } = await start(
    { removalDelay: '0s', maxShrink: { percent: null } },
    kill.observe,
  );
  await place.publish([...addresses(3), '34.19.100.9/32']);
  await kill.during((killed) => place.sync({ killed }));
  await place.publish(addresses(4));
  await kill.during((killed) => place.sync({ killed }));
  hook.texts.length = 0;
  await later('15m');
  expect(hook.texts[0]).toBe('The egress list changed: 1 added, 0 removed, 4 now');
  expect(hook.texts[1]).toBe('added: 34.19.100.4/32');
});

test('provenance that only warns, and growth that it vouches for, are told with the change', async () => {
  const { hook, place, later } = await start();
  const ranges = createServer((_request, response) => {
    const prefixes = [{ ipv4Prefix: '34.19.0.0/17', scope: 'us-west1' }];
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ prefixes }));
  });
  await new Promise<void>((resolve) => ranges.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void ranges.close().closeAllConnections());
  const address = ranges.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/cloud.json`;
  place.configure({ config: { safety: { provenance: { sources: ['file'], mode: 'warn', url } } } });
  await place.publish([...addresses(3), '34.99.0.1/32']);
  expect((await later('15m')).exitCode).toBe(0);
  expect(hook.texts.join('\n')).toContain('1 of 1 lie outside the publisher');
  await place.publish([...addresses(20), '34.99.0.1/32']);
  expect((await later('15m')).exitCode).toBe(0);
  expect(hook.texts.join('\n')).toContain('17 new beside 4 exceed safety.maxGrowth');
});

test('a held list is not over because the next page cannot be read', async () => {
  const { hook, place, later } = await start({ maxGrowth: { count: 1, percent: null } });
  await place.publish(addresses(9));
  await later('15m');
  expect(hook.told()).toEqual(['egress.held began egress.held']);
  await place.publishText('no list at all\n');
  await later('15m');
  expect(hook.told().filter((one) => !one.startsWith('source.failed'))).toEqual([]);
  await place.publish(addresses(3));
  await later('15m');
  expect(hook.told()).toContain('recovered recovered egress.held');
});
