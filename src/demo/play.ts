import type { Flags, Result, Terminal } from '../commands/context.ts';
import { errorInfo, FatalError } from '../errors.ts';
import type { DemoDocument, PlayedStep } from './document.ts';
import {
  announce,
  conclude,
  confirm,
  exitCodeText,
  introduce,
  type Page,
  pageOf,
  showAlerts,
  showOutput,
} from './narrate.ts';
import { type Claim, SCENARIO, type Step } from './scenario.ts';
import { watch } from './seen.ts';
import { onStage, type Stage } from './stage.ts';

/**
 * Plays the scenario and tells it as it goes. Throws `demo-failed`, naming the step and what was expected, at the first
 * step that does not go as told; with `--output json` the document says so instead.
 */
export async function playDemo(
  flags: Flags,
  terminal: Terminal,
  steps: readonly Step[] = SCENARIO,
): Promise<Result> {
  const tells = flags.output !== 'json';
  const page = pageOf(flags.color, terminal.columns);
  const tell = (lines: readonly string[]) => {
    if (tells && lines.length > 0) terminal.writeOut(`${lines.join('\n')}\n`);
  };
  const played: PlayedStep[] = [];
  const started = performance.now();
  try {
    tell(introduce(steps, page));
    await onStage({ flags, terminal }, async (stage) => {
      for (const [index, step] of steps.entries()) {
        tell(announce(step, index, page));
        await playStep(step, { stage, page, tell, played, signal: terminal.signal });
      }
    });
    tell(conclude(steps.length, performance.now() - started, page));
    return resultOf(played, null);
  } catch (error) {
    if (tells) throw error;
    return resultOf(played, error);
  }
}

interface Playing {
  readonly stage: Stage;
  readonly page: Page;
  readonly tell: (lines: readonly string[]) => void;
  /** What has been played; the step is added, however it ends. */
  readonly played: PlayedStep[];
  readonly signal: AbortSignal;
}

async function playStep(step: Step, { stage, page, tell, played, signal }: Playing): Promise<void> {
  let exitCode: number | null = null;
  try {
    signal.throwIfAborted();
    stage.moveClock(step.later ?? 0);
    step.happens?.(stage);
    const seen = await watch(stage, step);
    signal.throwIfAborted();
    exitCode = seen.report.exitCode;
    tell(showOutput(seen, page));
    tell(showAlerts(seen, page));
    const claims: Claim[] = [[exitCodeText(step.exitCode), exitCode === step.exitCode], ...step.claims(seen)];
    tell(confirm(claims, page));
    const broken = claims.find(([, holds]) => !holds);
    if (broken)
      throw new FatalError('demo-failed', `the step ${step.name} did not go as told; expected: ${broken[0]}`);
    const detail = claims.map(([claim]) => claim).join('; ');
    played.push({ name: step.name, ok: true, exitCode, detail });
  } catch (error) {
    const failure = failureOf(step, error, signal);
    played.push({ name: step.name, ok: false, exitCode, detail: failure.message });
    throw failure;
  }
}

function failureOf({ name }: Step, error: unknown, signal: AbortSignal): FatalError {
  if (signal.aborted)
    return new FatalError('demo-failed', `the demo was stopped in the step ${name}`, {
      hint: 'Its clouds and their folder are gone.',
    });
  if (error instanceof FatalError && error.code === 'demo-failed') return error;
  const { message } = errorInfo(error);
  return new FatalError('demo-failed', `the step ${name} failed: ${message}`, { cause: error });
}

function resultOf(steps: PlayedStep[], error: unknown): Result {
  const info = error === null ? null : errorInfo(error);
  const exitCode = info === null ? 0 : 1;
  const document: DemoDocument = { version: 1, command: 'demo', steps, exitCode, error: info };
  return { exitCode, json: document, lines: [] };
}
