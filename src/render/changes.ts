import type { ChangeReport, TargetReport } from '../report.ts';
import { plural, type Style, spread } from './style.ts';

/** Why a change is made, in the words of the line it stands on. */
const WHY: Readonly<Record<string, string>> = {
  'new-target': 'new on this target',
  'source-changed': 'the published list changed',
  'config-changed': 'the config changed',
  'removed-by-hand': 'removed by hand',
  'added-by-hand': 'added by hand',
  'edited-by-hand': 'edited by hand',
  contested: 'something keeps taking it away',
};

const SIGN = { add: '+', remove: '-', update: '~' } as const;

/** From this many lines on that differ in the address alone, they are shown as one block. */
const BLOCK = 5;

/** One address with all its services, or one setting. */
interface Line {
  readonly action: ChangeReport['action'];
  readonly what: string;
  readonly service: string;
  readonly why: string;
}

/** A diff with the reason of each line; many addresses that share everything else stand together under one reason. */
export function renderChanges(
  changes: readonly ChangeReport[],
  { dryRun }: { readonly dryRun: boolean },
  style: Style,
): string[] {
  const paint = { add: style.green, remove: style.red, update: style.cyan };
  const show = ({ action, why }: Line, text: string) =>
    `  ${paint[action](`${SIGN[action]} ${text}`)}  ${style.dim(why)}`;
  const blocks = runsOf(linesOf(changes, dryRun));
  const short = blocks.filter((block) => block.length < BLOCK).flat();
  const [forWhat = 0, forService = 0] = (['what', 'service'] as const).map((key) =>
    Math.max(0, ...short.map((line) => (line.action === 'update' ? 0 : line[key].length))),
  );
  return blocks.flatMap((block) => {
    const [first] = block;
    if (!first || block.length < BLOCK)
      return block.map((line) => {
        const { action, what, service } = line;
        if (action === 'update') return show(line, what);
        return show(
          line,
          forService > 0 ? `${what.padEnd(forWhat)}  ${service.padEnd(forService)}` : what.padEnd(forWhat),
        );
      });
    const { action, service, why } = first;
    const head = [plural(block.length, 'address', 'addresses'), service].filter(Boolean).join(', ');
    return [
      `  ${head}: ${style.dim(why)}`,
      ...spread(block.map(({ what }) => what)).map((row) => `  ${paint[action](`${SIGN[action]} ${row}`)}`),
    ];
  });
}

function linesOf(changes: readonly ChangeReport[], dryRun: boolean): Line[] {
  const groups = grouped(changes, ({ action, cidr, field, from, to, cause, applied }) =>
    [action, cidr, field, from, to, cause, applied].join(' '),
  );
  return groups.map(([change, ...others]) => {
    const { action, cidr, field, from, to, cause, applied } = change;
    const left = applied || dryRun ? '' : ' (not done)';
    const note = action === 'remove' ? '; connections that are open stay open' : '';
    const where = [cidr, field].filter(Boolean).join(' ');
    return {
      action,
      what: action === 'update' ? `${where}: ${from || 'unset'} -> ${to || 'unset'}` : (cidr ?? ''),
      service: action === 'update' ? '' : servicesText([change, ...others]),
      why: (WHY[cause] ?? cause) + note + left,
    };
  });
}

/** What waits for its time, one line an address. */
export function renderPending(
  pending: TargetReport['pendingRemovals'],
  { startedAt }: { readonly startedAt: string },
  style: Style,
): string[] {
  return grouped(pending, ({ cidr, removeAfter }) => `${cidr} ${removeAfter}`).map((group) => {
    const [{ cidr, removeAfter }] = group;
    const left = Date.parse(removeAfter) - Date.parse(startedAt);
    const at = removeAfter.slice(0, 16).replace('T', ' ');
    const when = left > 0 ? `goes in ${timeText(left)} (${at} UTC)` : 'goes at the next run';
    const what = [cidr, servicesText(group)].filter(Boolean).join('  ');
    return `  ${style.yellow('…')} ${what}  ${style.dim(`no longer published; ${when}`)}`;
  });
}

/** `tcp 5432, 6432-6439`; empty for a plain list of addresses. */
function servicesText(services: readonly Pick<ChangeReport, 'protocol' | 'ports'>[]): string {
  return grouped(services, ({ protocol }) => protocol ?? '')
    .map((group) => {
      const ports = group.flatMap((one) => one.ports ?? []).join(', ');
      return [group[0].protocol, ports].filter(Boolean).join(' ');
    })
    .filter(Boolean)
    .join(' and ');
}

/** `23 h 45 min`, rounded to minutes. */
function timeText(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000));
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [hours > 0 ? `${hours} h` : '', rest > 0 ? `${rest} min` : ''].filter(Boolean).join(' ');
}

/** Lines in a row that differ in what they change alone. */
function runsOf(lines: readonly Line[]): Line[][] {
  const runs: Line[][] = [];
  for (const line of lines) {
    const run = runs.at(-1);
    const same =
      run?.[0]?.action === line.action &&
      line.action !== 'update' &&
      run[0].service === line.service &&
      run[0].why === line.why;
    if (run && same) run.push(line);
    else runs.push([line]);
  }
  return runs;
}

/** What has the same key, together, in the order of the first of each. */
function grouped<T>(items: readonly T[], keyOf: (item: T) => string): [T, ...T[]][] {
  const groups = new Map<string, [T, ...T[]]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return [...groups.values()];
}
