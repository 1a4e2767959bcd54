import { withDeadline } from '../deadline.ts';
import { FatalError } from '../errors.ts';
import type { Pass } from '../pass.ts';
import { renderMarkdown } from '../render/markdown.ts';
import { styleFor } from '../render/style.ts';
import { renderReport } from '../render/text.ts';
import type { Report } from '../report.ts';
import { run } from '../run.ts';
import { withLock } from '../state/lock.ts';
import { openStore } from '../state/store.ts';
import {
  type Context,
  type Flags,
  narrate,
  openContext,
  type Result,
  secretsOf,
  type Terminal,
} from './context.ts';

export interface SyncOptions extends Flags {
  readonly dryRun?: boolean;
  readonly target?: readonly string[];
  readonly approve?: readonly string[];
  readonly detailedExitcode?: boolean;
}

/** `sync`: one pass. `sync --dry-run`: the same, ending before anything is written. */
export async function sync(options: SyncOptions, terminal: Terminal): Promise<Result> {
  const context = await openContext(options, terminal, 'warn');
  return resultOf(context, await onePass(context, { command: 'sync', ...options }));
}

/** `check`: what `sync` would find, without writing anything anywhere. */
export async function check(
  options: Pick<SyncOptions, keyof Flags | 'target'>,
  terminal: Terminal,
): Promise<Result> {
  const context = await openContext(options, terminal, 'warn');
  return resultOf(context, await onePass(context, { command: 'check', target: options.target ?? [] }));
}

interface PassOptions extends Pick<SyncOptions, 'dryRun' | 'target' | 'approve' | 'detailedExitcode'> {
  readonly command: 'sync' | 'check';
}

/** Runs one pass; a pass that may write holds the lock on the state. Throws `usage`, `state-locked`, `state-unusable`. */
export async function onePass(context: Context, options: PassOptions): Promise<Report> {
  const { config, world, terminal } = context;
  const dryRun = options.command === 'check' || options.dryRun === true;
  const pass = (signal: AbortSignal): Pass => ({
    runId: world.uuid(),
    config,
    command: options.command,
    dryRun,
    detailedExitCode: options.detailedExitcode === true,
    only: onlyTargets(context, options.target ?? []),
    approvals: new Set(options.approve ?? []),
    world,
    store: openStore(config.stateDir),
    signal,
    stop: terminal.signal,
    tell: narrate(context),
  });
  const { clock, uuid } = world;
  return withDeadline(terminal.signal, config.safety.deadline, (signal) =>
    dryRun
      ? run(pass(signal))
      : withLock(config.stateDir, { clock, uuid, signal }, (held) => run(pass(held))),
  );
}

/** The names given, or null for all. Throws `usage` for one that the config does not have. */
export function onlyTargets(
  { config }: Pick<Context, 'config'>,
  names: readonly string[],
): ReadonlySet<string> | null {
  const known = config.targets.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new FatalError('usage', `no target is called ${unknown.join(', ')}`, {
      hint: `The targets of ${config.path} are ${known.join(', ')}.`,
    });
  return names.length > 0 ? new Set(names) : null;
}

function resultOf({ flags, config, terminal }: Context, report: Report): Result {
  return {
    secrets: secretsOf(config, terminal.env),
    exitCode: report.exitCode,
    json: report,
    lines: renderReport(report, styleFor(flags.color)),
    markdown: renderMarkdown(report),
  };
}
