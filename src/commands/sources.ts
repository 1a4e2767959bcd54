import { withDeadline } from '../deadline.ts';
import { readSources } from '../fetch.ts';
import { ruleOnList } from '../guards/ruling.ts';
import { reportEgress } from '../outcome.ts';
import { renderEgressMarkdown } from '../render/markdown.ts';
import { styleFor } from '../render/style.ts';
import { renderEgress } from '../render/text.ts';
import type { EgressReport } from '../report.ts';
import { agree } from '../sources/agree.ts';
import { type Flags, narrate, openContext, type Result, secretsOf, type Terminal } from './context.ts';

/** `sources`: what each source publishes now, and the evidence. Looks at nothing else and remembers nothing. */
export async function sources(options: Flags, terminal: Terminal): Promise<Result> {
  const context = await openContext(options, terminal, 'warn');
  const { config, world } = context;
  const tell = narrate(context);
  const readings = await withDeadline(terminal.signal, config.safety.deadline, (signal) =>
    readSources({ config, world, signal, dryRun: true, tell }),
  );
  const agreement = agree(readings, config.safety);
  const ruling = ruleOnList({
    agreement,
    accepted: null,
    recent: [],
    owned: [],
    ranges: { kind: 'not-asked' },
    limits: config.safety,
    approvals: new Set(),
  });
  const refused = ruling.verdict === 'refused';
  const differ = agreement.kind !== 'agreed' && readings.some(({ status }) => status === 'ok');
  const egress: EgressReport = {
    ...reportEgress(ruling, readings),
    cidrs: refused || ruling.candidate === null ? [] : [...ruling.candidate],
    // Against what? Nothing was accepted before: what is published is in `cidrs`.
    added: [],
    removed: [],
    ...(differ ? { refused: [{ guard: 'agreement', detail: agreement.error.message }] } : {}),
  };
  const well = ruling.verdict === 'accepted' && readings.every(({ status }) => status === 'ok');
  const style = styleFor(options.color);
  const lines = renderEgress(egress, style);
  if (agreement.kind === 'agreed' && !refused)
    lines.push('', ...(egress.cidrs?.map((cidr) => `  ${cidr}`) ?? []));
  return {
    exitCode: well ? 0 : 1,
    json: egress,
    lines,
    markdown: renderEgressMarkdown(egress),
    secrets: secretsOf(config, terminal.env),
  };
}
