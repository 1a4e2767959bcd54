import { conditionsOf } from './alerts/conditions.ts';
import { sendAlerts } from './alerts/send.ts';
import { rangesFor, readSources } from './fetch.ts';
import { candidateOf } from './guards/ruling.ts';
import type { Pass } from './pass.ts';
import { decide, journalOf, journalOfEnd, nextState } from './record.ts';
import type { Report } from './report.ts';
import { ruleForAll, turnClocks } from './rule.ts';
import { agree } from './sources/agree.ts';
import { factsOf, reportPass, withAlerts } from './summary.ts';
import { applyTargets, ownedCidrs, planTargets, readTargets } from './targets.ts';

/**
 * One pass, the way of the data: fetch, parse, agree, read the targets, guard the list, plan, guard the plans,
 * apply and verify, record, alert. Everything is planned and guarded before the first change is made anywhere.
 *
 * Never throws for what a source, a target or a channel does: that is in the report. Throws `state-unusable`.
 */
export async function run(pass: Pass): Promise<Report> {
  const now = pass.world.clock.now();
  const recalled = await pass.store.load();
  const { state } = recalled;

  const readings = await readSources(pass);
  const agreement = agree(readings, pass.config.safety);
  const candidate = candidateOf(agreement, state.accepted);

  const found = await readTargets(pass, { skip: candidate === null && state.accepted === null });
  const owned = ownedCidrs(found);
  const ranges = await rangesFor(pass, candidate ?? [], state.accepted?.cidrs ?? owned);
  const rulings = ruleForAll(pass, { agreement, state, owned, ranges });
  const clocks = turnClocks(state, rulings, owned, now);

  const planned = await planTargets(pass, found, { state, clocks, rulings, now });
  const seen = { recalled, readings, agreement, ranges, rulings, clocks, found, owned, planned, now };
  const decided = await decide(pass, seen);
  const finished = await applyTargets(pass, planned);

  const happened = { ...seen, finished };
  const report = reportPass(pass, happened);
  if (pass.dryRun) return { ...report, alerts: [] };
  const remembered = nextState(decided, pass, { finished, report, now });
  await pass.store.save(remembered);
  await pass.store.append(journalOf(report, now));

  const conditions = conditionsOf(factsOf(pass, happened, report, remembered));
  const told = await sendAlerts(pass, remembered, { report, conditions, now });
  await pass.store.save({ ...told.state, untold: null });
  const final = withAlerts(pass, report, told.alerts);
  await pass.store.append(journalOfEnd(pass, final));
  return final;
}
