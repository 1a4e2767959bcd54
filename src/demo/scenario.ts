import {
  adds,
  allowlistOf,
  apiCalls,
  drifts,
  edits,
  gcpRuleIs,
  pending,
  same,
  told,
  wroteNothing,
} from './facts.ts';
import { PUBLISHED, renderPage } from './page.ts';
import type { Seen } from './seen.ts';
import { BY_HAND, RULE, type Run, type Stage } from './stage.ts';

/** One act: what happens in the world, one run of the tool, and what must be so afterwards. */
export interface Step {
  /** For programs; the same in every version. */
  readonly name: string;
  readonly title: string;
  /** What happens and why it matters, for people. */
  readonly story: string;
  /** How far the clock of the tool is moved before, in milliseconds. */
  readonly later?: number;
  readonly happens?: (stage: Stage) => void;
  readonly run: Run;
  readonly exitCode: number;
  /** Addresses that both clouds must let in after every single request of the run. */
  readonly guards?: readonly string[];
  readonly claims: (seen: Seen) => readonly Claim[];
}

/** What must be so, and whether it is. */
export type Claim = readonly [claim: string, holds: boolean];

const QUARTER = 15 * 60_000;
const DAY = 24 * 3_600_000;

/** The address that goes, and the one that comes: in Oregon like the others. */
const GONE = '34.82.135.155';
const NEW = '34.83.10.20';
const CHANGED = [...PUBLISHED.filter((address) => address !== GONE), NEW];
/** Well known, and nobody's idea of an app of Community Cloud. */
const STRANGER = '9.9.9.9';
const REVOKED = '34.19.100.134';
/** What people add in a console and forget, from the ranges for documentation. */
const OFFICE = '203.0.113.77';
const LAPTOP = '198.51.100.23';

const NOTHING_WRITTEN = 'nothing was written anywhere';

/** The first run, a quiet one, a change of the page, drift, and two pages that are not to be believed. */
export const SCENARIO: readonly Step[] = [
  {
    name: 'dry-run',
    title: 'Look first',
    story:
      'The page publishes 18 addresses; a security group, a VPC firewall rule and a file should let them in. ' +
      'A dry run is given only the reading half of every cloud, so it cannot write.',
    run: { command: 'sync', dryRun: true },
    exitCode: 0,
    claims: (seen) => [
      ['18 addresses would be added on each of the 3 targets', same(adds(seen), ['18', '18', '18'])],
      [NOTHING_WRITTEN, wroteNothing(seen)],
    ],
  },
  {
    name: 'apply',
    title: 'Let them in',
    story:
      'The same for real: one batched write a cloud, then a read that proves it. Everything the tool makes carries ' +
      'the marker of its owner; that is how it later knows what is its own to remove.',
    run: { command: 'sync' },
    exitCode: 0,
    claims: (seen) => [
      ['18 rules in the security group, each with our marker', same(seen.onAws.ours, PUBLISHED)],
      ['one firewall rule with our marker and 18 ranges', same(seen.onGcp, PUBLISHED)],
      [
        '18 lines in the file, and the line that stood there before still stands',
        same(allowlistOf(seen), PUBLISHED) && seen.file.after.startsWith(BY_HAND),
      ],
      ['one write for each cloud', same(seen.writes, ['AuthorizeSecurityGroupIngress', 'firewalls.insert'])],
      ["every new address was looked up in Google's ranges for us-west1", seen.fetched.includes('ranges')],
      ['the alert arrived, with a good signature', told(seen, 'egress.changed')],
    ],
  },
  {
    name: 'in-sync',
    title: 'Nothing to do',
    story: 'The next run of the schedule. Most runs are like this one: cheap, quiet, and safe to repeat.',
    later: QUARTER,
    run: { command: 'sync' },
    exitCode: 0,
    claims: (seen) => [
      ['one read for each target', apiCalls(seen) === 3],
      [NOTHING_WRITTEN, wroteNothing(seen)],
      ['nobody was bothered with an alert', seen.alerts.length === 0],
    ],
  },
  {
    name: 'published-change',
    title: 'The page changes',
    story:
      `${NEW} is new on the page, and ${GONE} is gone. The new one is let in at once, since apps need it now. The old ` +
      'one stays for the removal delay (24 h): pages have been wrong before.',
    later: QUARTER,
    happens: ({ site }) => site.publish(renderPage(CHANGED)),
    run: { command: 'sync' },
    exitCode: 0,
    guards: PUBLISHED,
    claims: (seen) => [
      [
        `${NEW} is let in everywhere`,
        [seen.onAws.ours, seen.onGcp, allowlistOf(seen)].every((list) => list.includes(NEW)),
      ],
      [`${GONE} still is, and its removal is announced on every target`, pending(seen, GONE) === 3],
      ['nobody lost access at any moment', seen.lost.length === 0],
      ['the alert says what changed', told(seen, 'egress.changed')],
    ],
  },
  {
    name: 'removal',
    title: 'A day later',
    story:
      `The delay is over, and the page still does without ${GONE}. A released cloud address is soon somebody ` +
      "else's, so now it goes.",
    later: DAY,
    run: { command: 'sync' },
    exitCode: 0,
    guards: CHANGED,
    claims: (seen) => [
      [
        `${GONE} is gone everywhere, and the 18 published ones are there`,
        [seen.onAws.ours, seen.onGcp, allowlistOf(seen)].every((list) => same(list, CHANGED)),
      ],
      ['none of the 18 lost access at any moment', seen.lost.length === 0],
      ['nothing is pending any more', pending(seen, GONE) === 0],
    ],
  },
  {
    name: 'drift',
    title: 'People in consoles',
    story:
      `On AWS somebody revokes the rule for ${REVOKED} and adds one for ${OFFICE}. On Google Cloud somebody opens our ` +
      `rule to ports 5000-7000, changes its priority and adds ${LAPTOP}. check finds all of it and writes nothing.`,
    later: QUARTER,
    happens: meddle,
    run: { command: 'check' },
    exitCode: 2,
    claims: (seen) => [
      ['the revoked rule is named', drifts(seen, 'orders-db', 'removed-by-hand', REVOKED)],
      ["somebody else's rule is named, as foreign", drifts(seen, 'orders-db', 'foreign', OFFICE)],
      ['the address added to our rule is named', drifts(seen, 'analytics', 'added-by-hand', LAPTOP)],
      ['the ports and the priority are named', same(edits(seen, 'analytics'), ['allowed', 'priority'])],
      [NOTHING_WRITTEN, wroteNothing(seen)],
    ],
  },
  {
    name: 'repair',
    title: 'Put right',
    story:
      'What is ours is put back as the config says. The rule that somebody added on AWS is not ours: it is reported ' +
      'until it is gone, and never touched.',
    run: { command: 'sync' },
    exitCode: 0,
    claims: (seen) => [
      [`${REVOKED} is let in again`, same(seen.onAws.ours, CHANGED)],
      [
        'the rule on Google Cloud has its ports, priority and 18 ranges again',
        gcpRuleIs(seen, { ports: ['5432', '6432-6439'], priority: 1000 }) && same(seen.onGcp, CHANGED),
      ],
      [`the rule for ${OFFICE} still stands`, same(seen.onAws.others, [OFFICE])],
      ['the alert tells what was found', told(seen, 'drift.found')],
    ],
  },
  {
    name: 'truncated',
    title: 'Half a page',
    story:
      'The page arrives cut off in the middle of the list, with status 200. Half a list looks like a list, and to ' +
      'believe it would lock the other half of the apps out.',
    later: QUARTER,
    happens: ({ site }) => {
      const page = renderPage(CHANGED);
      site.publish(page.slice(0, page.indexOf(`>${CHANGED[9]}<`)));
    },
    run: { command: 'sync' },
    exitCode: 1,
    guards: CHANGED,
    claims: (seen) => [
      ['the page is refused as malformed', seen.report.egress.sources[0]?.status === 'malformed'],
      [NOTHING_WRITTEN, wroteNothing(seen)],
      ['all 18 addresses keep their access', seen.lost.length === 0],
      ['the alert says what was looked for and what was found', told(seen, 'source.failed')],
    ],
  },
  {
    name: 'stranger',
    title: 'A stranger on the page',
    story:
      `The page is whole again, and lists ${STRANGER} too: a mistake, or worse. It lies outside Google's ranges for ` +
      'us-west1, where all of Community Cloud lives, so the new list is held until a person has looked.',
    later: QUARTER,
    happens: ({ site }) => site.publish(renderPage([...CHANGED, STRANGER])),
    run: { command: 'sync' },
    exitCode: 3,
    claims: (seen) => [
      [
        'the new list is held for its provenance',
        seen.report.egress.held.some(({ guard }) => guard === 'provenance'),
      ],
      [`${STRANGER} was let in nowhere: ${NOTHING_WRITTEN}`, wroteNothing(seen)],
      ['the alert says how to release exactly this list', told(seen, 'egress.held')],
    ],
  },
  {
    name: 'recovery',
    title: 'All is well',
    story:
      'The page is right again, and the rule that somebody added on AWS was taken away. Whoever was told of trouble ' +
      'is told of its end.',
    later: QUARTER,
    happens: ({ site, ec2, groupId }) => {
      site.publish(renderPage(CHANGED));
      for (const { id, cidrIpv4 } of ec2.rules(groupId)) if (cidrIpv4 === `${OFFICE}/32`) ec2.revoke(id);
    },
    run: { command: 'sync' },
    exitCode: 0,
    claims: (seen) => [
      ['every target is in sync', seen.report.targets.every(({ status }) => status === 'in-sync')],
      [NOTHING_WRITTEN, wroteNothing(seen)],
      ['the open alerts are closed', seen.alerts.filter(({ type }) => type === 'recovered').length === 2],
    ],
  },
];

/** What a person does in the two consoles. */
function meddle({ ec2, compute, groupId, project }: Stage): void {
  for (const { id, cidrIpv4 } of ec2.rules(groupId)) if (cidrIpv4 === `${REVOKED}/32`) ec2.revoke(id);
  ec2.authorize(groupId, {
    protocol: 'tcp',
    fromPort: 5432,
    toPort: 5432,
    cidrIpv4: `${OFFICE}/32`,
    description: 'quick fix, remove later',
  });
  const { sourceRanges = [] } = compute.rule(project, RULE) ?? {};
  compute.edit(project, RULE, {
    sourceRanges: [...sourceRanges, `${LAPTOP}/32`],
    allowed: [{ IPProtocol: 'tcp', ports: ['5000-7000'] }],
    priority: 900,
  });
}
