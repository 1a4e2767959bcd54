import type { Permission, Rule } from '../../src/emulators/ec2/index.ts';
import type { LoggedRequest } from '../../src/emulators/server.ts';
import { inbound, permission } from '../providers/aws/fixture.ts';
import { PROJECT, RULE } from '../providers/gcp/fixture.ts';
import { addresses, POSTGRES } from './pass.ts';
import type { Trial } from './trial.ts';

/** What a person does to the object of a trial, behind the tool's back. */
export interface Hand {
  /** Fits after "a person". */
  readonly title: string;
  readonly cloud: 'aws' | 'gcp';
  /** Does it, and tells the witness; false where there is nothing to do it to. May be refused by the service. */
  act(trial: Trial, request: LoggedRequest): boolean;
}

/** In the lists of the scenarios: stays, is due to go, is new. */
const [STAYS = ''] = addresses(1);
const [GOES = ''] = addresses(1, 3);
const [COMES = ''] = addresses(1, 7);
const STRANGE = '198.41.200.7/32';

const key = (cidr: string, ports = '5432') => `${cidr} tcp ${ports}`;
/** On a GCP rule an address reaches all ports of the rule: those before and those after a change of the config. */
const keys = (cidr: string) => [key(cidr), key(cidr, '5433')];

/** Adds a rule that is the person's own: it must be there to the end as it is. */
function add(trial: Trial, cidr: string, description?: string, ports = '5432'): boolean {
  const { aws, witness, byHand } = trial;
  if (!aws || trial.allowed().has(key(cidr, ports))) return false;
  const [made] = aws.ec2.authorize(aws.groupId, permission(cidr, { ...POSTGRES, ports }, description));
  witness.given([key(cidr, ports)]);
  byHand.add(key(cidr, ports));
  return made !== undefined;
}

function ruleOf(trial: Trial, cidr: string): Rule | undefined {
  return trial.aws
    ? inbound(trial.aws.ec2, trial.aws.groupId).find((rule) => rule.cidrIpv4 === cidr)
    : undefined;
}

/** Edits our rule for `cidr`; from then on that access is the person's doing. */
function edit(trial: Trial, cidr: string, change: Partial<Permission>, becomes?: string): boolean {
  const rule = ruleOf(trial, cidr);
  if (!rule || !trial.aws) return false;
  if (becomes && trial.allowed().has(becomes)) return false;
  trial.aws.ec2.modify(rule.id, change);
  if (becomes) trial.witness.taken([key(cidr)]);
  if (becomes) trial.witness.given([becomes]);
  return true;
}

/**
 * The entry is nobody's then, and stays, unless the run has read it as ours already: EC2 knows no condition, so what
 * happens after the read that a removal goes by comes too late.
 */
function unmark(trial: Trial, cidr: string): boolean {
  trial.undecided.add(key(cidr));
  return edit(trial, cidr, { description: 'mine now' });
}

function remove(trial: Trial, cidr: string): boolean {
  const rule = ruleOf(trial, cidr);
  if (!rule || !trial.aws) return false;
  trial.witness.taken([key(cidr)]);
  trial.aws.ec2.revoke(rule.id);
  return true;
}

const AWS: readonly Omit<Hand, 'cloud'>[] = [
  { title: 'adds an address of their own', act: (trial) => add(trial, STRANGE) },
  {
    title: 'adds an address with the marker of another owner',
    act: (trial) => add(trial, STRANGE, 'allowlist-sync/v1 owner=other target=orders'),
  },
  {
    title: 'adds an address with a text that only looks like our marker',
    act: (trial) => add(trial, STRANGE, 'see allowlist-sync/v1 owner=acme target=orders'),
  },
  { title: 'adds the very address that is about to be added', act: (trial) => add(trial, COMES) },
  { title: 'opens another port to a published address', act: (trial) => add(trial, STAYS, undefined, '22') },
  { title: 'removes an entry that must stay', act: (trial) => remove(trial, STAYS) },
  { title: 'removes an entry that is due to go', act: (trial) => remove(trial, GOES) },
  { title: 'removes an entry that has just come', act: (trial) => remove(trial, COMES) },
  {
    title: 'edits an entry that must stay to another address',
    act: (trial) => edit(trial, STAYS, { cidrIpv4: STRANGE }, key(STRANGE)),
  },
  {
    title: 'edits an entry that is due to go to the address that is about to be added',
    act: (trial) => edit(trial, GOES, { cidrIpv4: COMES }, key(COMES)),
  },
  {
    title: 'edits the port of an entry that must stay',
    act: (trial) => edit(trial, STAYS, { fromPort: 22, toPort: 22 }, key(STAYS, '22')),
  },
  {
    title: 'takes the marker off an entry that must stay',
    act: (trial) => unmark(trial, STAYS),
  },
  {
    title: 'takes the marker off an entry that is due to go',
    act: (trial) => unmark(trial, GOES),
  },
];

/** Edits our rule; `gives` and `takes` say whose access that changes. */
function editRule(
  trial: Trial,
  change: (ranges: readonly string[]) => Record<string, unknown> | undefined,
  { gives = [], takes = [] }: { gives?: readonly string[]; takes?: readonly string[] },
): boolean {
  const { gcp, witness } = trial;
  const rule = gcp?.compute.rule(PROJECT, RULE);
  const fields = rule && change(rule.sourceRanges ?? []);
  if (!gcp || !fields) return false;
  witness.given(gives);
  witness.taken(takes);
  gcp.compute.edit(PROJECT, RULE, fields);
  return true;
}

const GCP: readonly Omit<Hand, 'cloud'>[] = [
  {
    title: 'makes a rule of their own',
    act: ({ gcp }) => {
      if (!gcp || gcp.compute.rule(PROJECT, OWN_RULE)) return false;
      gcp.compute.insert(PROJECT, {
        name: OWN_RULE,
        description: 'the bastion',
        sourceRanges: [STRANGE],
        allowed: [{ IPProtocol: 'tcp', ports: ['22'] }],
      });
      return true;
    },
  },
  {
    title: 'adds an address to our rule',
    act: (trial) =>
      editRule(trial, (ranges) => ({ sourceRanges: [...ranges, STRANGE] }), { gives: keys(STRANGE) }),
  },
  {
    title: 'adds the very address that is about to be added',
    act: (trial) =>
      editRule(
        trial,
        (ranges) => (ranges.includes(COMES) ? undefined : { sourceRanges: [...ranges, COMES] }),
        { gives: keys(COMES) },
      ),
  },
  {
    title: 'removes an address that must stay',
    act: (trial) => without(trial, STAYS),
  },
  { title: 'removes an address that is due to go', act: (trial) => without(trial, GOES) },
  { title: 'removes an address that has just come', act: (trial) => without(trial, COMES) },
  {
    title: 'changes the priority of our rule',
    act: (trial) => editRule(trial, () => ({ priority: 900 }), {}),
  },
  {
    title: 'adds a source tag to our rule',
    act: (trial) => editRule(trial, () => ({ sourceTags: ['bastion'] }), { gives: keys('tag:bastion') }),
  },
  {
    title: 'removes our rule',
    act: (trial) => {
      const { gcp, witness } = trial;
      if (!gcp?.compute.rule(PROJECT, RULE)) return false;
      witness.taken([...trial.allowed()].filter((one) => !one.includes('::')));
      gcp.compute.remove(PROJECT, RULE);
      return true;
    },
  },
  {
    title: 'removes our rule of the other family',
    act: (trial) => {
      const { gcp, witness } = trial;
      if (!gcp?.compute.rule(PROJECT, `${RULE}-v6`)) return false;
      witness.taken([...trial.allowed()].filter((one) => one.includes('::')));
      gcp.compute.remove(PROJECT, `${RULE}-v6`);
      return true;
    },
  },
];

const OWN_RULE = 'allow-bastion';

function without(trial: Trial, cidr: string): boolean {
  const change = (ranges: readonly string[]) => {
    const left = ranges.filter((range) => range !== cidr);
    return left.length === ranges.length || left.length === 0 ? undefined : { sourceRanges: left };
  };
  return editRule(trial, change, { takes: keys(cidr) });
}

export const HANDS: readonly Hand[] = [
  ...AWS.map((hand) => ({ ...hand, cloud: 'aws' as const })),
  ...GCP.map((hand) => ({ ...hand, cloud: 'gcp' as const })),
];

/** Everything at the object that is a person's own, as text: what must not change from the moment it is there. */
export function ownThings({ aws, gcp, byHand }: Trial): string[] {
  if (aws)
    return inbound(aws.ec2, aws.groupId)
      .filter((rule) => byHand.has(key(rule.cidrIpv4 ?? '', String(rule.fromPort))))
      .map((rule) => JSON.stringify(rule));
  return (gcp?.compute.rules(PROJECT) ?? [])
    .filter(({ name }) => name === OWN_RULE)
    .map((rule) => JSON.stringify(rule));
}
