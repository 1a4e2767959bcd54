import type { Drift } from '../drift.ts';
import { some } from '../guards/list.ts';
import type { Report, TargetReport } from '../report.ts';
import type { Condition } from './types.ts';

export interface Facts {
  readonly report: Omit<Report, 'alerts'>;
  /** The file of the config, so that messages can name the command. */
  readonly configPath: string;
  /** By target: drift with what only the pass knows of it. */
  readonly drift: ReadonlyMap<string, readonly Drift[]>;
  /** By target: entries that were put back so often within a day that somebody must be taking them away. */
  readonly contested: ReadonlyMap<string, readonly string[]>;
  /** How the accepted list changed and nobody was told yet; null when it did not. */
  readonly listChange: { readonly added: readonly string[]; readonly removed: readonly string[] } | null;
  /** What a guard let pass and people should know. */
  readonly notes: readonly string[];
  /** Why the publisher's ranges could not be had, when they were needed. */
  readonly blind: string | null;
  /** What each source publishes that the others do not, in words; null while they agree. */
  readonly disagreement: readonly string[] | null;
  /** What has not succeeded for too long, and since when; null when all is well. */
  readonly stale: string | null;
}

/** Causes that are somebody's doing; a changed list or config is ours to carry out, and told as such. */
const BY_HAND: ReadonlySet<string> = new Set([
  'removed-by-hand',
  'added-by-hand',
  'edited-by-hand',
  'foreign',
]);

/** Everything in a pass that people should know of. Pure. */
export function conditionsOf(facts: Facts): Condition[] {
  const { report } = facts;
  return [
    ...egressConditions(facts),
    ...sourceConditions(facts),
    ...report.targets.flatMap((target) => targetConditions(target, facts)),
  ];
}

function egressConditions({ report, configPath, blind, stale, listChange, notes }: Facts): Condition[] {
  const { listId, added, removed, held, refused, candidate, cidrs } = report.egress;
  const conditions: Condition[] = [];
  const change = changeLines(added, removed);
  if (held.length > 0)
    conditions.push({
      key: 'egress.held',
      type: 'egress.held',
      severity: 'error',
      title: `A new egress list of ${candidate?.length ?? 0} addresses is held`,
      lines: [...change, ...held.map(({ guard, detail }) => `${guard}: ${detail}`)],
      action: `Look at the page, then release exactly this list: allowlist-sync sync --approve ${listId} --config ${configPath}`,
      fingerprint: `${listId} ${held.map(({ guard }) => guard).join(' ')}`,
      lasting: true,
    });
  if (refused.length > 0)
    conditions.push({
      key: 'egress.refused',
      type: 'egress.refused',
      severity: 'error',
      title: 'A new egress list is refused',
      lines: refused.map(({ guard, detail }) => `${guard}: ${detail}`),
      action: 'Nothing was changed, and no approval releases it. Look at the page.',
      fingerprint: `${listId} ${refused.map(({ guard }) => guard).join(' ')}`,
      lasting: true,
    });
  if (listChange !== null)
    conditions.push({
      key: `egress.changed:${listId}`,
      type: 'egress.changed',
      severity: 'warning',
      title: `The egress list changed: ${listChange.added.length} added, ${listChange.removed.length} removed, ${cidrs?.length ?? 0} now`,
      lines: [...changeLines(listChange.added, listChange.removed), ...notes],
      action: 'Nothing to do: the targets follow by themselves.',
      fingerprint: listId ?? '',
      lasting: false,
    });
  if (blind !== null)
    conditions.push({
      key: 'provenance.blind',
      type: 'provenance.blind',
      severity: 'warning',
      title: 'New addresses could not be compared with the ranges of their owner',
      lines: [blind],
      action:
        'The growth and shrink limits alone decide meanwhile. Check whether safety.provenance.url can be reached.',
      fingerprint: 'blind',
      lasting: true,
    });
  if (stale !== null)
    conditions.push({
      key: 'stale',
      type: 'stale',
      severity: 'error',
      title: 'Nothing has been confirmed for too long',
      lines: [stale],
      action: 'See the errors of the sources and targets; `allowlist-sync check` shows them all.',
      fingerprint: 'stale',
      lasting: true,
    });
  return conditions;
}

function sourceConditions({ report, disagreement }: Facts): Condition[] {
  const failed = report.egress.sources.flatMap(({ type, url, status, error }): Condition[] =>
    error === null
      ? []
      : [
          {
            key: `source.failed:${type} ${url}`,
            type: 'source.failed',
            severity: 'warning',
            title: `Source ${type} is ${status}`,
            lines: [error.message],
            action: error.hint,
            fingerprint: `${status} ${error.code}`,
            lasting: true,
          },
        ],
  );
  if (disagreement === null) return failed;
  return [
    ...failed,
    {
      key: 'sources.disagree',
      type: 'sources.disagree',
      severity: 'warning',
      title: 'The sources publish different lists',
      lines: disagreement,
      action: 'Nothing is changed until they agree; compare them with `allowlist-sync sources`.',
      fingerprint: disagreement.join('\n'),
      lasting: true,
    },
  ];
}

function targetConditions(target: TargetReport, facts: Facts): Condition[] {
  const { configPath } = facts;
  const drift = facts.drift.get(target.name) ?? [];
  const contested = facts.contested.get(target.name) ?? [];
  const { name, provider, changes, held, error } = target;
  const where = `${name} (${provider})`;
  const conditions: Condition[] = [];
  if (error)
    conditions.push({
      key: `target.failed:${name}`,
      type: 'target.failed',
      severity: 'error',
      title: `Target ${where} failed`,
      lines: [error.message],
      action: error.hint,
      fingerprint: error.code,
      lasting: true,
    });
  const byHand = drift.filter(({ cause, settling }) => BY_HAND.has(cause) && !settling);
  if (contested.length > 0)
    conditions.push({
      key: `drift.contested:${name}`,
      type: 'drift.found',
      severity: 'error',
      title: `Somebody keeps taking entries of ${where} away`,
      lines: atMost(
        contested.map((key) => `contested: ${key} was put back three times or more within a day`),
      ),
      action:
        'Find what else manages this object (another tool, infrastructure as code) and let only one of them do it.',
      fingerprint: contested.join('\n'),
      lasting: true,
    });
  if (byHand.length > 0)
    conditions.push({
      key: `drift.found:${name}`,
      type: 'drift.found',
      severity: 'warning',
      title: `Drift on ${where}: ${byHand.length} found`,
      lines: atMost(byHand.map(({ cause, detail }) => `${cause}: ${detail}`)),
      action: repaired(target),
      fingerprint: byHand.map(({ cause, detail }) => `${cause} ${detail}`).join('\n'),
      lasting: true,
    });
  if (held.length > 0) {
    const ids = [...new Set(held.map(({ id }) => id))];
    conditions.push({
      key: `target.held:${name}`,
      type: 'target.held',
      severity: 'error',
      title: `Changes to ${where} are held`,
      lines: held.map(({ guard, detail }) => `${guard}: ${detail}`),
      action: `To release exactly this: ${ids.map((id) => `allowlist-sync sync --approve ${id} --config ${configPath}`).join(' or ')}`,
      fingerprint: ids.join(' '),
      lasting: true,
    });
  }
  const applied = changes.filter((change) => change.applied);
  if (applied.length > 0)
    conditions.push({
      key: `target.applied:${name}`,
      type: 'target.applied',
      severity: 'info',
      title: `Changed ${where}: ${countChanges(applied)}`,
      lines: atMost(
        applied.map(({ action, cidr, protocol, ports, field, from, to, cause }) =>
          action === 'update'
            ? `update ${field}: ${from || 'unset'} -> ${to || 'unset'} (${cause})`
            : `${action} ${[cidr, protocol, ports].filter(Boolean).join(' ')} (${cause})`,
        ),
      ),
      action: 'Nothing to do.',
      fingerprint: name,
      lasting: false,
    });
  return conditions;
}

function repaired({ status, drift }: TargetReport): string {
  if (status !== 'changed' || !drift.some(({ cause }) => cause.endsWith('by-hand')))
    return 'Correct it by hand, or name what is wanted in the config.';
  if (drift.some(({ cause }) => cause === 'foreign'))
    return 'What is ours was repaired in this run. What is not ours was left: take it away by hand, or name it in extraCidrs.';
  return 'It was repaired in this run. If it was meant, change the config instead.';
}

export function countChanges(changes: readonly { action: string }[]): string {
  const count = (action: string) => changes.filter((change) => change.action === action).length;
  const parts = [
    [count('add'), 'added'],
    [count('update'), 'updated'],
    [count('remove'), 'removed'],
  ] as const;
  return parts.flatMap(([n, word]) => (n > 0 ? [`${n} ${word}`] : [])).join(', ') || 'nothing';
}

function changeLines(added: readonly string[], removed: readonly string[]): string[] {
  return [
    ...(added.length > 0 ? [`added: ${some(added, 25)}`] : []),
    ...(removed.length > 0 ? [`removed: ${some(removed, 25)}`] : []),
  ];
}

function atMost(lines: readonly string[], most = 25): string[] {
  return lines.length > most ? [...lines.slice(0, most), `and ${lines.length - most} more`] : [...lines];
}
