import { withDeadline } from '../deadline.ts';
import type { Pass } from '../pass.ts';
import type { Report } from '../report.ts';
import type { State } from '../state/state.ts';
import { readVersion } from '../version.ts';
import { afterDelivery, decideAlerts, outcomes, type Situation } from './alert.ts';
import { channelId } from './channel.ts';
import { deliverAll, resultsOf } from './index.ts';
import type { Condition } from './types.ts';

export interface ToTell {
  readonly report: Omit<Report, 'alerts'>;
  readonly conditions: readonly Condition[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface Told {
  readonly alerts: Report['alerts'];
  /** With what the channels have been told. */
  readonly state: State;
}

/** For all tries of all channels, whatever is left of the run's own deadline: a run that was too slow is news. */
const PATIENCE_MS = 45_000;

/** Tells the channels what they are due and gives the state that remembers it. Never throws for a channel. */
export async function sendAlerts(
  pass: Pass,
  state: State,
  { report, conditions, now }: ToTell,
): Promise<Told> {
  const { config, world } = pass;
  const looked = new Set(report.targets.filter(({ status }) => status !== 'skipped').map(({ name }) => name));
  const exists = new Set(config.targets.map(({ name }) => name));
  // Without a list that the sources agree on, a held or refused one is neither released nor gone.
  const judged = report.error === null || report.error.code === 'list-refused';
  const situation: Situation = {
    conditions,
    observed: (key) => {
      const [type = '', name = ''] = splitOnce(key);
      if (ABOUT_THE_LIST.has(type)) return judged;
      // Of two sources that disagreed, one alone cannot tell that they agree again.
      if (type === 'sources.disagree') return report.egress.sources.every(({ status }) => status === 'ok');
      if (!type.startsWith('target.') && !type.startsWith('drift.')) return true;
      // A target that left the config is nobody's worry any more; one that was not looked at says nothing.
      return !exists.has(name) || looked.has(name);
    },
    memory: state.alerts,
    channels: config.alerts.map(channelId),
    now,
    repeatAfterMs: config.repeatAlertsAfter,
  };
  const due = decideAlerts(situation);
  const origin = { owner: config.owner, runId: report.runId, version: readVersion() };
  const { clock, random, env } = world;
  const delivered = await withDeadline(pass.stop ?? pass.signal, PATIENCE_MS, (signal) =>
    deliverAll(due, config.alerts, origin, { clock, random, signal, env }),
  );
  for (const { error } of delivered) if (error) pass.tell({ type: 'channel-failed', reason: error.message });
  const results = resultsOf(delivered);
  return {
    alerts: outcomes(due, results),
    state: { ...state, alerts: afterDelivery(situation, due, results) },
  };
}

const ABOUT_THE_LIST: ReadonlySet<string> = new Set(['egress.held', 'egress.refused', 'provenance.blind']);

function splitOnce(key: string): [string, string] {
  const colon = key.indexOf(':');
  return colon === -1 ? [key, ''] : [key.slice(0, colon), key.slice(colon + 1)];
}
