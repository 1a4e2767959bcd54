import { formatMarker } from '../../providers/provider.ts';
import type { WebhookDocument } from '../alerts/webhook.ts';
import type { Report } from '../report.ts';
import type { Step } from './scenario.ts';
import { OWNER, RULE, type Stage } from './stage.ts';

export type SeenAlert = WebhookDocument['alerts'][number];

/** What one run did, as everybody but the tool saw it. */
export interface Seen {
  readonly stage: Stage;
  readonly report: Report;
  /** Requests to the clouds that change something, by the vendors' names. */
  readonly writes: readonly string[];
  /** What was fetched of the web. */
  readonly fetched: readonly ('page' | 'ranges')[];
  readonly alerts: readonly SeenAlert[];
  /** Addresses in inbound rules afterwards: with our marker, and without. */
  readonly onAws: { readonly ours: readonly string[]; readonly others: readonly string[] };
  /** Addresses in the firewall rule afterwards, while it carries our marker. */
  readonly onGcp: readonly string[];
  readonly file: { readonly before: string; readonly after: string };
  /** Addresses of the step's `guards` that one of the clouds did not let in after some request. */
  readonly lost: readonly string[];
}

/** Has the tool run once, and looks at what came of it. */
export async function watch(stage: Stage, { run, guards = [] }: Pick<Step, 'run' | 'guards'>): Promise<Seen> {
  const { ec2, compute, site } = stage;
  const before = await stage.readFile();
  const [onEc2, onCompute, onSite] = [ec2.requests.length, compute.requests.length, site.requests.length];
  const heard = site.received.length;
  const lost = new Set<string>();
  const report = await stage.run(run, () => {
    const { ours, others } = onAws(stage);
    for (const inside of [[...ours, ...others], onGcp(stage)])
      for (const address of guards) if (!inside.includes(address)) lost.add(address);
  });
  return {
    stage,
    report,
    writes: [...ec2.requests.slice(onEc2), ...compute.requests.slice(onCompute)].flatMap(
      ({ operation, writes }) => (writes ? [operation] : []),
    ),
    fetched: site.requests.slice(onSite).flatMap(({ operation }) => {
      if (operation === 'page' || operation === 'ranges') return [operation];
      return [];
    }),
    alerts: site.received.slice(heard).flatMap(({ alerts }) => alerts),
    onAws: onAws(stage),
    onGcp: onGcp(stage),
    file: { before, after: await stage.readFile() },
    lost: [...lost],
  };
}

function onAws({ ec2, groupId }: Stage): Seen['onAws'] {
  const marker = formatMarker({ owner: OWNER, target: 'orders-db' });
  const inbound = ec2.rules(groupId).filter(({ isEgress }) => !isEgress);
  const addresses = (ours: boolean) =>
    inbound.flatMap(({ description, cidrIpv4 = '' }) =>
      (description === marker) === ours ? [bare(cidrIpv4)] : [],
    );
  return { ours: addresses(true), others: addresses(false) };
}

function onGcp({ compute, project }: Stage): string[] {
  const rule = compute.rule(project, RULE);
  const ours = rule?.description === formatMarker({ owner: OWNER, target: 'analytics' });
  return ours ? (rule.sourceRanges ?? []).map(bare) : [];
}

function bare(cidr: string): string {
  return cidr.replace(/\/32$/, '');
}
