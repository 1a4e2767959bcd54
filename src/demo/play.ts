import type { Flags, Result, Terminal } from '../commands/context.ts';
import { errorInfo, FatalError } from '../errors.ts';
import { type Style, styleFor } from '../render/style.ts';
import type { DemoDocument, PlayedStep } from './document.ts';
import { announce, conclude, confirm, exitCodeText, introduce, showAlerts, showOutput } from './narrate.ts';
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
  const style = styleFor(flags.color);
  const tell = (lines: readonly string[]) => {
    if (tells && lines.length > 0) terminal.writeOut(`${lines.join('\n')}\n`);
  };
  const played: PlayedStep[] = [];
  const started = performance.now();
  try {
    tell(introduce(steps, style));
    await onStage({ flags, terminal }, async (stage) => {
      for (const [index, step] of steps.entries()) {
        if (terminal.signal.aborted) throw stopped(step);
        tell(announce(step, index, style));
        await playStep(step, { stage, style, tell, played });
      }
    });
    tell(conclude(steps.length, performance.now() - started, style));
    return resultOf(played, null);
  } catch (error) {
    if (tells) throw error;
    return resultOf(played, error);
  }
}

interface Playing {
  readonly stage: Stage;
  readonly style: Style;
  readonly tell: (lines: readonly string[]) => void;
  /** What has been played; the step is added, however it ends. */
  readonly played: PlayedStep[];
}

async function playStep(step: Step, { stage, style, tell, played }: Playing): Promise<void> {
  let exitCode: number | null = null;
  try {
    stage.moveClock(step.later ?? 0);
    step.happens?.(stage);
    const seen = await watch(stage, step);
    exitCode = seen.report.exitCode;
    tell(showOutput(seen, style));
    tell(showAlerts(seen, style));
    const claims: Claim[] = [[exitCodeText(step.exitCode), exitCode === step.exitCode], ...step.claims(seen)];
    tell(confirm(claims, style));
    const broken = claims.find(([, holds]) => !holds);
    if (broken)
      throw new FatalError('demo-failed', `the step ${step.name} did not go as told; expected: ${broken[0]}`);
    const detail = claims.map(([claim]) => claim).join('; ');
    played.push({ name: step.name, ok: true, exitCode, detail });
  } catch (error) {
    const { message } = errorInfo(error);
    played.push({ name: step.name, ok: false, exitCode, detail: message });
    if (error instanceof FatalError && error.code === 'demo-failed') throw error;
    throw new FatalError('demo-failed', `the step ${step.name} failed: ${message}`, { cause: error });
  }
}

function stopped(step: Step): FatalError {
  return new FatalError('demo-failed', `the demo was stopped before the step ${step.name}`, {
    hint: 'Its clouds and their folder are gone.',
  });
}

function resultOf(steps: PlayedStep[], error: unknown): Result {
  const info = error === null ? null : errorInfo(error);
  const exitCode = info === null ? 0 : 1;
  const document: DemoDocument = { version: 1, command: 'demo', steps, exitCode, error: info };
  return { exitCode, json: document, lines: [] };
}
