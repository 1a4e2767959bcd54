import { PROJECT, RULE } from '../providers/gcp/fixture.ts';
import { addresses } from './pass.ts';
import { startTrial, type Trial, type TrialOptions } from './trial.ts';

/** A sync worth disturbing: what is there when it begins, and what it has to do. */
export interface Scenario {
  readonly title: string;
  readonly options: TrialOptions;
  /** Brings a fresh trial to the moment before that sync. */
  prepare(trial: Trial): Promise<void>;
}

export async function begin({ options, prepare }: Scenario): Promise<Trial> {
  const trial = await startTrial(options);
  await prepare(trial);
  return trial;
}

const V6 = ['2600:1900:4000::1/128', '2600:1900:4000::2/128', '2600:1900:4000::3/128'];
const BOTH = [...addresses(3), ...V6.slice(0, 2)];
/** Of {@link BOTH}, one address of each family is gone and one is new. */
const OTHERS = [...addresses(2), ...addresses(1, 7), ...V6.slice(0, 1), ...V6.slice(2)];

async function first(trial: Trial): Promise<void> {
  await trial.publish(BOTH);
}

/** The sync takes away what is due and adds what is new. */
async function change(trial: Trial): Promise<void> {
  await trial.publish(BOTH);
  await trial.sync();
  await trial.publish(OTHERS.filter((cidr) => BOTH.includes(cidr)));
  await trial.sync();
  trial.place.clock.advance('25h');
  await trial.publish(OTHERS);
}

const AWS: readonly Scenario[] = [
  { title: 'aws: the first sync', options: { cloud: 'aws' }, prepare: first },
  { title: 'aws: additions and removals', options: { cloud: 'aws' }, prepare: change },
  {
    title: 'aws: additions and removals, listed in pages of three',
    options: { cloud: 'aws', ec2: { pageSize: 3 } },
    prepare: change,
  },
  {
    title: 'aws: additions and removals, reads that lag behind writes',
    options: { cloud: 'aws', ec2: { readLag: 2 } },
    prepare: change,
  },
  {
    title: 'aws: a full group, where what is no longer published goes first',
    // What is in the way of something new goes at once, so there is no delay to watch.
    options: { cloud: 'aws', keys: { maxRules: 6 }, ec2: { quota: 6 }, delayHours: 0 },
    prepare: async (trial) => {
      await trial.publish(addresses(5));
      await trial.sync();
      // Six fit, so one of the two that go must go first, and room for one that a person adds is left.
      await trial.publish([...addresses(2), ...addresses(1, 4), ...addresses(2, 7)]);
    },
  },
  {
    title: 'aws: another port',
    options: { cloud: 'aws' },
    prepare: async (trial) => {
      await trial.publish(BOTH);
      await trial.sync();
      trial.retarget({ allow: [{ protocol: 'tcp', ports: [5433] }] }, ['5433']);
    },
  },
  {
    title: 'aws: a target with a new name',
    options: { cloud: 'aws' },
    prepare: async (trial) => {
      await trial.publish(BOTH);
      await trial.sync();
      trial.retarget({ name: 'orders-db', previousNames: ['orders'] });
      await trial.publish([...BOTH, ...addresses(1, 7)]);
    },
  },
];

const GCP: readonly Scenario[] = [
  { title: 'gcp: the first sync', options: { cloud: 'gcp' }, prepare: first },
  { title: 'gcp: additions and removals', options: { cloud: 'gcp' }, prepare: change },
  {
    title: 'gcp: additions and removals, in operations that take their time',
    options: { cloud: 'gcp', compute: { operationPolls: 3 } },
    prepare: change,
  },
  {
    title: 'gcp: the last address of a family goes, and its rule with it',
    options: { cloud: 'gcp' },
    prepare: async (trial) => {
      await trial.publish(BOTH);
      await trial.sync();
      await trial.publish(addresses(3));
      await trial.sync();
      trial.place.clock.advance('25h');
    },
  },
  {
    title: 'gcp: a source tag added by hand, which only a whole new resource takes away',
    options: { cloud: 'gcp' },
    prepare: async (trial) => {
      await trial.publish(addresses(3));
      await trial.sync();
      trial.witness.given(['tag:bastion tcp 5432']);
      trial.gcp?.compute.edit(PROJECT, RULE, { sourceTags: ['bastion'] });
      await trial.publish(addresses(4));
    },
  },
  {
    title: 'gcp: another port',
    options: { cloud: 'gcp' },
    prepare: async (trial) => {
      await trial.publish(BOTH);
      await trial.sync();
      trial.retarget({ allow: [{ protocol: 'tcp', ports: [5433] }] }, ['5433']);
    },
  },
  {
    title: 'gcp: a target with a new name',
    options: { cloud: 'gcp' },
    prepare: async (trial) => {
      await trial.publish(BOTH);
      await trial.sync();
      trial.retarget({ name: 'analytics-db', previousNames: ['analytics'] });
      await trial.publish([...BOTH, ...addresses(1, 7)]);
    },
  },
];

export const SCENARIOS: readonly Scenario[] = [...AWS, ...GCP];

/** One scenario for each cloud, with additions and removals: what the short suites disturb. */
export const SHORT: readonly Scenario[] = SCENARIOS.filter(({ title }) =>
  /additions and removals$/.test(title),
);
