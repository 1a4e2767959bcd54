import { plural, styleFor } from '../render/style.ts';
import { openStore } from '../state/store.ts';
import { type Flags, loadFor, type Result, type Terminal } from './context.ts';

/** `held`: what the last run left waiting for a person, and the commands that release it. Reads the state alone. */
export async function held(options: Flags, terminal: Terminal): Promise<Result> {
  const config = await loadFor(options, terminal);
  const { state } = await openStore(config.stateDir).load();
  const items = state.held.map(({ id, kind, target, guard, detail, since }) => ({
    id,
    kind,
    target,
    guard,
    detail,
    since: new Date(since).toISOString(),
    command: `allowlist-sync sync --approve ${id} --config ${config.path}`,
  }));
  const style = styleFor(options.color);
  const ids = [...new Set(items.map(({ id }) => id))];
  const lines = ids.flatMap((id) => {
    const mine = items.filter((item) => item.id === id);
    return [
      `${style.yellow(id)}  held since ${mine[0]?.since}`,
      ...mine.map(({ target, guard, detail }) => `  ${target ?? 'the egress list'}  ${guard}: ${detail}`),
      `  ${style.dim(mine[0]?.command ?? '')}`,
    ];
  });
  return {
    exitCode: 0,
    json: { version: 1, held: items, error: null },
    lines:
      lines.length > 0
        ? [
            ...lines,
            '',
            `${plural(ids.length, 'id')} waiting; an approval releases exactly what is shown, once`,
          ]
        : ['nothing is held'],
  };
}
