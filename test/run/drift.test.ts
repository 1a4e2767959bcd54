import { describe, expect, test } from 'vitest';
import { formatMarker } from '../../providers/provider.ts';
import { PROJECT, RULE } from '../providers/gcp/fixture.ts';
import { killer } from '../support/killer.ts';
import {
  type AwsCloud,
  addresses,
  awsCloud,
  type GcpCloud,
  gcpCloud,
  type Installation,
  installation,
} from '../support/pass.ts';

const OURS = formatMarker({ owner: 'acme', target: 'orders' });
const [FIRST = '', SECOND = ''] = addresses(3);
const STRANGER = '34.99.0.1/32';

interface Case<Cloud> {
  readonly hand: string;
  readonly does: (cloud: Cloud) => void;
  /** With state, and without it. */
  readonly causes: readonly [string[], string[]];
  /** What `sync` leaves: `repaired` brings the cloud back to how it was, `reported` leaves it. */
  readonly outcome: 'repaired' | 'reported';
}

const AWS: readonly Case<AwsCloud>[] = [
  {
    hand: 'removes an entry',
    does: (aws) => aws.remove(FIRST),
    causes: [['removed-by-hand'], ['source-changed']],
    outcome: 'repaired',
  },
  {
    hand: 'adds an entry with our marker, for a stranger',
    does: (aws) => aws.add(STRANGER, OURS),
    causes: [['added-by-hand'], []],
    outcome: 'repaired',
  },
  {
    hand: 'edits the port of an entry',
    does: (aws) => aws.edit(FIRST, { fromPort: 22, toPort: 22 }),
    causes: [
      ['edited-by-hand', 'edited-by-hand'],
      ['source-changed', 'edited-by-hand'],
    ],
    outcome: 'repaired',
  },
  {
    hand: 'widens the port of an entry',
    does: (aws) => aws.edit(FIRST, { fromPort: 5000, toPort: 6000 }),
    causes: [
      ['edited-by-hand', 'edited-by-hand'],
      ['source-changed', 'edited-by-hand'],
    ],
    outcome: 'repaired',
  },
  {
    hand: 'takes the marker off an entry',
    does: (aws) => aws.edit(FIRST, { description: 'mine now' }),
    causes: [['edited-by-hand'], []],
    outcome: 'reported',
  },
  {
    hand: 'lets a stranger in under no name of ours',
    does: (aws) => aws.add(STRANGER, 'the office of Bob'),
    causes: [['foreign'], ['foreign']],
    outcome: 'reported',
  },
];

const GCP: readonly Case<GcpCloud>[] = [
  {
    hand: 'removes a range',
    does: (gcp) => gcp.edit({ sourceRanges: addresses(3).slice(1) }),
    causes: [['removed-by-hand'], ['source-changed']],
    outcome: 'repaired',
  },
  {
    hand: 'deletes the rule',
    does: (gcp) => gcp.compute.remove(PROJECT, RULE),
    causes: [
      ['removed-by-hand', 'removed-by-hand', 'removed-by-hand'],
      ['new-target', 'new-target', 'new-target'],
    ],
    outcome: 'repaired',
  },
  {
    hand: 'adds a range',
    does: (gcp) => gcp.edit({ sourceRanges: [...addresses(3), STRANGER] }),
    causes: [['added-by-hand'], []],
    outcome: 'repaired',
  },
  {
    hand: 'widens the ports',
    does: (gcp) => gcp.edit({ allowed: [{ IPProtocol: 'tcp', ports: ['5000-6000'] }] }),
    causes: [['edited-by-hand'], ['edited-by-hand']],
    outcome: 'repaired',
  },
  {
    hand: 'changes the priority',
    does: (gcp) => gcp.edit({ priority: 900 }),
    causes: [['edited-by-hand'], ['edited-by-hand']],
    outcome: 'repaired',
  },
  {
    hand: 'adds a source tag, which is OR-ed with the ranges',
    does: (gcp) => gcp.edit({ sourceTags: ['web'] }),
    causes: [['edited-by-hand'], ['edited-by-hand']],
    outcome: 'repaired',
  },
  {
    hand: 'disables the rule, which may be an incident switch',
    does: (gcp) => gcp.edit({ disabled: true }),
    causes: [['edited-by-hand'], ['edited-by-hand']],
    outcome: 'reported',
  },
];

async function inStep(cloud: AwsCloud | GcpCloud): Promise<Installation> {
  const place = await installation({
    targets: [cloud.target()],
    env: cloud.env,
    published: addresses(3),
    config: { safety: { maxShrink: { count: null, percent: null } } },
  });
  expect((await place.sync()).exitCode).toBe(0);
  place.clock.advance('1h');
  return place;
}

const snapshotOf = (cloud: AwsCloud | GcpCloud) =>
  'ec2' in cloud
    ? cloud.ec2
        .rules(cloud.groupId)
        .map(({ id: _, ...rule }) => JSON.stringify(rule))
        .sort()
    : cloud.compute.rules(PROJECT).map(({ id: _, creationTimestamp: __, ...rule }) => JSON.stringify(rule));

for (const [cloudName, cases, start] of [
  ['AWS', AWS as readonly Case<AwsCloud | GcpCloud>[], awsCloud],
  ['GCP', GCP as readonly Case<AwsCloud | GcpCloud>[], gcpCloud],
] as const)
  describe(`on ${cloudName}`, () => {
    for (const { hand, does, causes, outcome } of cases) {
      test(`somebody ${hand}: told by cause with state, and ${outcome}`, async () => {
        const cloud = await start();
        const place = await inStep(cloud);
        const good = snapshotOf(cloud);
        does(cloud);
        const bad = snapshotOf(cloud);
        const check = await place.check();
        expect(check.targets[0]?.drift.map(({ cause }) => cause)).toEqual(causes[0]);
        expect(check.exitCode).toBe(2);
        const again = await place.check();
        expect(again.targets[0]?.drift).toEqual(check.targets[0]?.drift);
        const sync = await place.sync();
        expect(sync).toMatchObject({ exitCode: 0, targets: [{ drift: check.targets[0]?.drift }] });
        expect(sync.targets[0]?.status).toBe(outcome === 'repaired' ? 'changed' : 'in-sync');
        expect(snapshotOf(cloud)).toEqual(outcome === 'repaired' ? good : bad);
        const last = await place.check();
        expect(last.targets[0]?.drift.map(({ cause }) => cause)).toEqual(
          outcome === 'repaired' ? [] : causes[0],
        );
      });

      test(`somebody ${hand} and the state is lost: no harm is done, and it ends in step`, async () => {
        const cloud = await start();
        const place = await inStep(cloud);
        does(cloud);
        await place.loseState();
        const check = await place.check();
        expect(check.targets[0]?.drift.map(({ cause }) => cause)).toEqual(causes[1]);
        expect((await place.sync()).exitCode).toBe(0);
        expect(cloud.allowed()).toEqual(expect.arrayContaining(addresses(3)));
        for (const _ of [1, 2]) {
          place.clock.advance('25h');
          await place.sync();
        }
        if (outcome === 'repaired') {
          expect(cloud.allowed()).toEqual(addresses(3));
          expect((await place.check()).exitCode).toBe(0);
        }
      });
    }
  });

test('the marker of a whole GCP rule is taken off: drift with its cause, nothing is written, and adopt takes it back', async () => {
  const gcp = await gcpCloud();
  const place = await inStep(gcp);
  gcp.edit({ description: 'mine now' });
  expect(await place.check()).toMatchObject({
    exitCode: 2,
    targets: [{ drift: [{ cause: 'edited-by-hand' }] }],
  });
  gcp.requests();
  await place.sync();
  expect(gcp.requests()).toEqual(['firewalls.list']);
  place.configure({ targets: [gcp.target({ adopt: true })] });
  expect(await place.sync()).toMatchObject({ exitCode: 0, targets: [{ status: 'changed' }] });
  expect(await place.check()).toMatchObject({ exitCode: 0, targets: [{ drift: [] }] });
});

test('a rule disabled by hand is enabled again only where the config says so', async () => {
  const gcp = await gcpCloud();
  const place = await inStep(gcp);
  gcp.edit({ disabled: true });
  const left = await place.sync();
  expect(left.targets[0]?.warnings.map(({ code }) => code)).toEqual(['rule-disabled']);
  place.configure({ targets: [gcp.target({ repairDisabled: true })] });
  await place.sync();
  expect(gcp.compute.rule(PROJECT, RULE)?.disabled).toBe(false);
});

test('what a hand did and nobody may repair keeps its cause from pass to pass', async () => {
  const aws = await awsCloud();
  const place = await inStep(aws);
  place.configure({ targets: [aws.target({ mode: 'observe' })] });
  aws.add(STRANGER, OURS);
  aws.edit(FIRST, { fromPort: 5000, toPort: 6000 });
  const causes: string[][] = [];
  for (const _ of [1, 2, 3]) {
    place.clock.advance('30h');
    const report = await place.sync();
    causes.push(report.targets.flatMap(({ drift }) => drift.map(({ cause }) => cause)).sort());
    expect(report).toMatchObject({ exitCode: 0, targets: [{ status: 'would-change' }] });
  }
  expect(causes).toEqual(Array(3).fill(['added-by-hand', 'edited-by-hand', 'edited-by-hand']));
});

test('an entry that a run made and did not live to remember waits like any other when it leaves the list', async () => {
  const kill = killer();
  const aws = await awsCloud({ observe: kill.observe });
  const place = await inStep(aws);
  await place.publish(addresses(4));
  await kill.during((killed) => place.sync({ killed }));
  expect(aws.allowed()).toEqual(addresses(4));
  await place.publish(addresses(3));
  const report = await place.sync();
  expect(aws.allowed()).toEqual(addresses(4));
  expect(report.targets[0]?.pendingRemovals).toHaveLength(1);
});

test('an entry put back three times within a day is contested, and keeps being put back', async () => {
  const aws = await awsCloud();
  const place = await inStep(aws);
  const causes: string[] = [];
  for (const _ of [1, 2, 3, 4]) {
    aws.remove(SECOND);
    place.clock.advance('1h');
    const { targets } = await place.sync();
    causes.push(...targets.flatMap(({ drift }) => drift.map(({ cause }) => cause)));
    expect(aws.allowed()).toEqual(addresses(3));
  }
  expect(causes).toEqual(['removed-by-hand', 'removed-by-hand', 'contested', 'contested']);
  place.clock.advance('25h');
  aws.remove(SECOND);
  expect((await place.sync()).targets[0]?.drift[0]?.cause).toBe('removed-by-hand');
});
