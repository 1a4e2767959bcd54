import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { interpolate } from './config/interpolate.ts';
import { formatPath, formatProblem, type Problem, problemsOf } from './config/problems.ts';
import { type ConfigFile, type Place, readConfigFile } from './config/read.ts';
import { configSchema, type Safety } from './config/schema.ts';
import { at } from './config/suggest.ts';
import { crossCheck, resolveTarget, type Target } from './config/targets.ts';
import { FatalError } from './errors.ts';
import { channelSecrets, urlSecrets } from './secrets.ts';

export type { Safety } from './config/schema.ts';
export type { Target } from './config/targets.ts';

type Parsed = z.output<typeof configSchema>;

/** The whole config, checked. Every duration is in milliseconds; every path is absolute. */
export interface Config {
  /** The file it came from. */
  readonly path: string;
  /** The folder of that file, which relative paths start from. */
  readonly baseDir: string;
  readonly owner: string;
  readonly sources: Parsed['sources'];
  /** In the order of the file. */
  readonly targets: readonly Target[];
  readonly schedule: Parsed['schedule'];
  readonly alerts: Parsed['alerts'];
  readonly repeatAlertsAfter: number;
  readonly stateDir: string;
  readonly concurrency: number;
  readonly safety: Safety;
  /**
   * What is never to be shown, so that whoever prints can blot it out: values that came from the environment into
   * places for secrets, or from variables named like secrets; and what the channels and the queries of source URLs
   * hold even when it is written out. At least four characters each, the longest first, so that none is left over
   * in part where another one is blotted out.
   */
  readonly secrets: readonly string[];
}

/**
 * Finds, reads and checks the config, without any network and without any cloud SDK.
 *
 * Throws `config-missing` when there is none or it cannot be read, `config-invalid` with every problem that was
 * found, one a line as `path: problem`. No value from the environment stands in the message.
 */
export async function loadConfig(place: Place): Promise<Config> {
  const file = await readConfigFile(place);
  const { value, secrets, values, problems } = interpolate(file.value, place.env);
  const found = await check(value, file);
  // Where a variable is missing, what the schema thinks of the gap is no news.
  const gaps = new Set(problems.map(({ path }) => formatPath(path)));
  const all = [...problems, ...found.problems.filter(({ path }) => !gaps.has(formatPath(path)))];
  if (all.length > 0 || !found.config) throw invalid(file, all, values);
  const { sources, alerts, safety } = found.config;
  const urls = [...sources.flatMap((source) => ('url' in source ? source.url : [])), safety.provenance.url];
  return {
    ...found.config,
    secrets: longestFirst([...secrets, ...alerts.flatMap(channelSecrets), ...urls.flatMap(urlSecrets)]),
  };
}

async function check(
  value: unknown,
  file: ConfigFile,
): Promise<{ config?: Omit<Config, 'secrets'>; problems: Problem[] }> {
  const baseDir = dirname(file.path);
  const parsed = configSchema.safeParse(value);
  const problems = parsed.error
    ? problemsOf(parsed.error.issues, { schema: configSchema, value, path: [] })
    : [];

  const owner = parsed.data?.owner ?? 'unknown';
  const rawTargets = at(value, ['targets']);
  const resolved = await Promise.all(
    (Array.isArray(rawTargets) ? rawTargets : []).map(async (target: unknown, index) => ({
      index,
      ...(await resolveTarget(target, index, { owner, baseDir })),
    })),
  );
  const targets = resolved.flatMap(({ target, index }) => (target ? [{ target, index }] : []));
  problems.push(...resolved.flatMap((one) => one.problems), ...crossCheck(targets));

  if (!parsed.success) return { problems };
  const { sources, schedule, alerts, repeatAlertsAfter, state, concurrency, safety } = parsed.data;
  const config = {
    path: file.path,
    baseDir,
    owner,
    sources,
    targets: targets.map(({ target }) => target),
    schedule,
    alerts,
    repeatAlertsAfter,
    stateDir: resolve(baseDir, state),
    concurrency,
    safety,
  };
  return { config, problems };
}

/** Whatever came from the environment is blotted out: what was put in the wrong place may be anything. */
function invalid(file: ConfigFile, problems: readonly Problem[], values: readonly string[]): FatalError {
  const lines = problems.map(({ path, problem }) => formatProblem({ path, problem: blot(problem, values) }));
  const [only] = lines;
  const message =
    lines.length === 1
      ? `${file.shown}: ${only}`
      : [`${file.shown}: ${lines.length} problems`, ...lines.map((line) => `  ${line}`)].join('\n');
  return new FatalError('config-invalid', message);
}

function blot(text: string, secrets: readonly string[]): string {
  return longestFirst(secrets).reduce((blotted, secret) => blotted.replaceAll(secret, '***'), text);
}

function longestFirst(secrets: readonly string[]): string[] {
  return [...new Set(secrets)].sort((a, b) => b.length - a.length);
}
