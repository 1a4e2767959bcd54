import { z } from 'zod';
import { FatalError } from '../errors.ts';
import { plural, styleFor } from '../render/style.ts';
import { openStore } from '../state/store.ts';
import { type Flags, loadFor, type Result, secretsOf, type Terminal } from './context.ts';

/** What `held --output json` prints. */
export const heldDocumentSchema = z.strictObject({
  version: z.literal(1),
  held: z.array(
    z.strictObject({
      id: z.string().describe('What `sync --approve` takes to release it; several items may share one.'),
      kind: z.enum(['list', 'plan']),
      target: z.string().nullable().describe('Null for a list, which is held for all targets.'),
      guard: z.string(),
      detail: z.string().describe('The numbers, the limit and where to change it.'),
      since: z.iso.datetime().describe('When a run first held it.'),
      command: z.string().describe('The command that releases exactly this, once.'),
    }),
  ),
  error: z.null(),
});

/** `held`: what the last run left waiting for a person, and the commands that release it. Reads the state alone. */
export async function held(options: Flags, terminal: Terminal): Promise<Result> {
  const config = await loadFor(options, terminal);
  const { state, memory, detail } = await openStore(config.stateDir).load();
  if (memory === 'lost')
    throw new FatalError('state-unusable', `what is held is not known: ${detail}`, {
      hint: 'The next `sync` starts the state anew, and holds again what must be held.',
    });
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
  const json: z.output<typeof heldDocumentSchema> = { version: 1, held: items, error: null };
  return {
    exitCode: 0,
    json,
    secrets: secretsOf(config, terminal.env),
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
