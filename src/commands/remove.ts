import pLimit from 'p-limit';
import { z } from 'zod';
import { type Entry, isOurs } from '../../providers/provider.ts';
import { createIo } from '../calls.ts';
import type { Target } from '../config.ts';
import { withDeadline } from '../deadline.ts';
import { compareEntries, entryName } from '../entries.ts';
import { type ErrorInfo, errorInfo, FatalError, TransientError } from '../errors.ts';
import { plural, type Style, styleFor } from '../render/style.ts';
import { errorSchema } from '../report.ts';
import { withLock } from '../state/lock.ts';
import { openStore } from '../state/store.ts';
import { type Context, type Flags, openContext, type Result, secretsOf, type Terminal } from './context.ts';
import { onlyTargets } from './sync.ts';

export interface RemoveOptions extends Flags {
  readonly target: readonly string[];
  readonly yes?: boolean;
}

const removalSchema = z.strictObject({
  name: z.string(),
  provider: z.string(),
  status: z
    .enum(['removed', 'nothing', 'kept', 'failed'])
    .describe('nothing: nothing of ours was there. kept: the question was answered with no.'),
  entries: z
    .array(
      z.strictObject({ cidr: z.string(), protocol: z.string().nullable(), ports: z.string().nullable() }),
    )
    .describe('What carries the marker of this owner.'),
  error: errorSchema.nullable(),
});

type Removal = z.output<typeof removalSchema>;

/** What `remove --output json` prints. */
export const removeDocumentSchema = z.strictObject({
  version: z.literal(1),
  command: z.literal('remove'),
  exitCode: z.int(),
  targets: z.array(removalSchema),
  error: z.null(),
});

/**
 * `remove`: takes away what carries this owner's marker on the targets named, after showing it. Works from the
 * markers alone: no source is asked, and entries of others stay.
 */
export async function remove(options: RemoveOptions, terminal: Terminal): Promise<Result> {
  const context = await openContext(options, terminal, 'warn');
  const { config, world } = context;
  const only = onlyTargets(context, options.target);
  if (!options.yes && (!terminal.stdinIsTty || options.output !== 'text'))
    throw new FatalError('usage', 'remove asks before it removes, and nobody can answer here', {
      hint: 'Add --yes; `check` shows what is there.',
    });
  const { clock, uuid } = world;
  const targets = config.targets.filter(({ name }) => only?.has(name));
  const style = styleFor(options.color);
  const removals = await withDeadline(terminal.signal, config.safety.deadline, (signal) =>
    withLock(config.stateDir, { clock, uuid, signal }, async (held) => {
      const limit = pLimit(options.yes ? config.concurrency : 1);
      const done = await Promise.all(
        targets.map((target) => limit(() => removeOne(target, context, held, options.yes === true))),
      );
      await record(context, done);
      return done;
    }),
  );
  const exitCode = removals.some(({ status }) => status === 'failed') ? 1 : 0;
  const json: z.output<typeof removeDocumentSchema> = {
    version: 1,
    command: 'remove',
    exitCode,
    targets: removals,
    error: null,
  };
  return {
    exitCode,
    json,
    secrets: secretsOf(config, terminal.env),
    lines: removals.flatMap((removal) => render(removal, style)),
  };
}

async function removeOne(
  target: Target,
  context: Context,
  signal: AbortSignal,
  yes: boolean,
): Promise<Removal> {
  const { world, config } = context;
  const common = { name: target.name, provider: target.providerName };
  const { clock, random, uuid, env } = world;
  const io = createIo({ clock, random, uuid, env, signal, gate: pLimit(1) });
  let entries: readonly Entry[] = [];
  const result = (status: Removal['status'], error: ErrorInfo | null = null): Removal => ({
    ...common,
    status,
    entries: entries.map(({ cidr, protocol, ports }) => ({ cidr, protocol, ports })),
    error,
  });
  try {
    const opened = await target.provider.open(target.spec, io);
    const known = new Set(config.targets.flatMap(({ name, spec }) => [name, ...spec.identity.previousNames]));
    const mine = (entry: Entry) => isOursOrOrphaned(entry, target, known);
    let snapshot = await opened.read();
    entries = snapshot.entries.filter(mine).sort(compareEntries);
    if (entries.length === 0) return result('nothing');
    if (!yes && !(await confirmed(target, entries, context))) return result('kept');
    await opened.write(
      entries.map((entry) => ({ action: 'remove', entry })),
      snapshot,
    );
    for (const delay of [0, 1_000, 4_000, 15_000]) {
      await io.sleep(delay);
      snapshot = await opened.read();
      if (!snapshot.entries.some(mine)) return result('removed');
    }
    throw new TransientError('conflict', `${target.name}: entries are still there after they were removed`);
  } catch (error) {
    return result('failed', errorInfo(error));
  }
}

/** What is ours, and what the same owner left behind under a name that the config no longer has. */
function isOursOrOrphaned({ marker }: Entry, target: Target, known: ReadonlySet<string>): boolean {
  const { identity } = target.spec;
  return isOurs(marker, identity) || (marker?.owner === identity.owner && !known.has(marker.target));
}

async function confirmed(
  target: Target,
  entries: readonly Entry[],
  { terminal, flags }: Context,
): Promise<boolean> {
  const style = styleFor(flags.color);
  const lines = entries.map((entry) => `  ${style.red(`- ${entryName(entry)}`)}`);
  terminal.writeOut(`${[`${style.bold(target.name)}  ${target.description.object}`, ...lines].join('\n')}\n`);
  const answer = await terminal.ask(`Remove ${plural(entries.length, 'entry', 'entries')}? Type yes: `);
  return answer.trim().toLowerCase() === 'yes';
}

async function record({ config, world }: Context, removals: readonly Removal[]): Promise<void> {
  const store = openStore(config.stateDir);
  const removed = removals.filter(({ status }) => status === 'removed');
  if (removed.length === 0) return;
  const { state } = await store.load();
  const gone = new Set(removed.map(({ name }) => name));
  const targets = Object.fromEntries(Object.entries(state.targets).filter(([name]) => !gone.has(name)));
  await store.save({ ...state, targets });
  const common = { at: new Date(world.clock.now()).toISOString(), runId: world.uuid() };
  await store.append(
    removed.map(({ name, entries }) => ({
      ...common,
      type: 'target-changed',
      target: name,
      planId: null,
      changes: entries.map((entry) => ({ action: 'remove' as const, ...entry })),
    })),
  );
}

function render({ name, status, entries, error }: Removal, style: Style): string[] {
  const words = {
    removed: style.cyan('removed'),
    nothing: style.green('nothing of ours there'),
    kept: style.yellow('kept'),
    failed: style.red('failed'),
  };
  const lines = [`${style.bold(name)}  ${words[status]}`];
  if (status === 'removed')
    lines.push(
      ...entries.map(
        ({ cidr, protocol, ports }) =>
          `  ${style.red(`- ${[cidr, protocol, ports].filter(Boolean).join(' ')}`)}`,
      ),
      `  ${style.dim('connections that are open stay open; take the target out of the config, or the next sync puts these back')}`,
    );
  if (error) lines.push(`  ${style.red('error')}  ${error.message}`, `         ${style.dim(error.hint)}`);
  return lines;
}
