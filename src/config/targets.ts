import { z } from 'zod';
import { loadProvider } from '../../providers/index.ts';
import {
  type Description,
  type Provider,
  type Service,
  servicesMeet,
  type TargetSpec,
} from '../../providers/provider.ts';
import { type Cidr, overlaps, sortCidrs } from '../cidr.ts';
import { messageOf } from '../errors.ts';
import { GUARD_NAMES, type GuardName } from '../guards/names.ts';
import { formatPath, type Problem, problemsOf } from './problems.ts';
import { targetSchema } from './schema.ts';

type Mode = z.output<typeof targetSchema>['mode'];

/** One target of the config with everything that is known of it without any network. */
export interface Target {
  readonly name: string;
  /** As in the config: a built-in name, or the path of a third-party provider. */
  readonly providerName: string;
  readonly provider: Provider;
  /** What the provider's `describe` and `open` take; holds owner, previous names, options and base folder. */
  readonly spec: TargetSpec<unknown>;
  readonly description: Description;
  readonly mode: Mode;
  /** Sorted, without duplicates. */
  readonly extraCidrs: readonly Cidr[];
  /** Sorted, without duplicates. */
  readonly excludeCidrs: readonly Cidr[];
  readonly guardsOff: ReadonlySet<GuardName>;
  /** Whether what is there already may be taken over. */
  readonly adopt: boolean;
}

export interface Resolved {
  /** Undefined when there are problems. */
  readonly target?: Target;
  readonly problems: readonly Problem[];
}

/** Checks one target by the common keys and by its provider's own schema. Loads the provider, but no SDK. */
export async function resolveTarget(
  value: unknown,
  index: number,
  context: { owner: string; baseDir: string },
): Promise<Resolved> {
  const path = ['targets', index];
  const record = z.record(z.string(), z.unknown()).safeParse(value);
  if (!record.success)
    return { problems: problemsOf(record.error.issues, { schema: targetSchema, value, path }) };
  const [commonPart, options] = split(record.data);

  const common = targetSchema.safeParse(commonPart);
  const problems: Problem[] = [];
  const { provider, problem } = await findProvider(commonPart.provider, context.baseDir);
  if (problem) problems.push({ path: [...path, 'provider'], problem });
  const parsed = provider?.options.safeParse(options);
  if (parsed?.error) {
    const checked = {
      schema: provider?.options ?? targetSchema,
      value: options,
      path,
      otherKeys: freeKeys(commonPart),
    };
    problems.push(...problemsOf(parsed.error.issues, checked));
  }
  if (common.error)
    problems.push(...problemsOf(common.error.issues, { schema: targetSchema, value: commonPart, path }));
  if (!common.success || !parsed?.success || !provider) return { problems };

  const { name, provider: providerName, mode, extraCidrs, excludeCidrs, previousNames, guards } = common.data;
  const identity = { owner: context.owner, target: name, previousNames };
  const spec = { identity, options: parsed.data, baseDir: context.baseDir };
  try {
    const target: Target = {
      name,
      providerName,
      provider,
      spec,
      description: provider.describe(spec),
      mode,
      extraCidrs: sortCidrs(extraCidrs),
      excludeCidrs: sortCidrs(excludeCidrs),
      guardsOff: new Set(GUARD_NAMES.filter((guard) => guards[guard] === 'off')),
      adopt: ADOPT.safeParse(parsed.data).data?.adopt === true,
    };
    const found = contradictions(target, path);
    return found.length > 0 ? { problems: [...problems, ...found] } : { target, problems };
  } catch (error) {
    return { problems: [...problems, { path, problem: messageOf(error) }] };
  }
}

/** What is wrong between targets: names that clash, and objects that two of them would fight over. */
export function crossCheck(targets: readonly { target: Target; index: number }[]): Problem[] {
  return targets.flatMap(({ target, index }, position) => {
    const path = ['targets', index];
    const { previousNames } = target.spec.identity;
    const problems: Problem[] = [];
    if (previousNames.includes(target.name))
      problems.push({ path: [...path, 'previousNames'], problem: `${target.name} is its name of today` });
    for (const other of targets.slice(0, position)) {
      const where = formatPath(['targets', other.index]);
      if (other.target.name === target.name)
        problems.push({ path: [...path, 'name'], problem: `${target.name} is the name of ${where} too` });
      problems.push(...clashingNames(target, path, other.target, where));
      problems.push(...clashingNames(other.target, ['targets', other.index], target, formatPath(path)));
      const taken = previousNames.find((name) => other.target.spec.identity.previousNames.includes(name));
      if (taken)
        problems.push({
          path: [...path, 'previousNames'],
          problem: `${taken} is a previous name of ${where} (${other.target.name}) too; only one can take its entries over`,
        });
      const shared = sharing(target, other.target);
      if (shared)
        problems.push({
          path,
          problem: `${target.name} and ${other.target.name} (${where}) both manage ${shared}`,
        });
    }
    return problems;
  });
}

const ADOPT = z.object({ adopt: z.boolean().optional() });

/** The common keys of a target, and the provider's. */
function split(value: Record<string, unknown>): [Record<string, unknown>, Record<string, unknown>] {
  const entries = Object.entries(value);
  const isCommon = (key: string) => Object.hasOwn(targetSchema.shape, key);
  return [
    Object.fromEntries(entries.filter(([key]) => isCommon(key))),
    Object.fromEntries(entries.filter(([key]) => !isCommon(key))),
  ];
}

function freeKeys(commonPart: Record<string, unknown>): string[] {
  return Object.keys(targetSchema.shape).filter((key) => !Object.hasOwn(commonPart, key));
}

async function findProvider(
  name: unknown,
  baseDir: string,
): Promise<{ provider?: Provider; problem?: string }> {
  // A missing name, or one that is no text, is told by the common schema.
  if (typeof name !== 'string' || name === '') return {};
  try {
    return { provider: await loadProvider(name, baseDir) };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

function contradictions(target: Target, path: readonly PropertyKey[]): Problem[] {
  const problems: Problem[] = [];
  for (const cidr of target.extraCidrs) {
    const excluded = target.excludeCidrs.find((other) => overlaps(other, cidr));
    if (!excluded) continue;
    const same =
      excluded === cidr ? 'excludeCidrs has it too' : `excludeCidrs has ${excluded}, which overlaps it`;
    problems.push({ path: [...path, 'extraCidrs'], problem: `${cidr} contradicts itself: ${same}` });
  }
  const { services } = target.description;
  services.forEach((service, position) => {
    const other = services.slice(0, position).find((earlier) => servicesMeet(earlier, service));
    if (other)
      problems.push({
        path,
        problem: `${serviceName(other)} and ${serviceName(service)} overlap; name each port once`,
      });
  });
  return problems;
}

function clashingNames(
  target: Target,
  path: readonly PropertyKey[],
  other: Target,
  where: string,
): Problem[] {
  if (other.name === target.name || !target.spec.identity.previousNames.includes(other.name)) return [];
  const problem = `${other.name} is the name of ${where}; its entries would be taken for those of ${target.name}`;
  return [{ path: [...path, 'previousNames'], problem }];
}

/** What both would manage and how they can be told apart. An object that one write replaces cannot be shared. */
function sharing(a: Target, b: Target): string | undefined {
  const { object, services } = a.description;
  if (object !== b.description.object) return undefined;
  if (a.provider.atomic) return `${object}, which only one target can write; make one target of them`;
  for (const service of services) {
    const other = b.description.services.find((candidate) => servicesMeet(service, candidate));
    if (!other) continue;
    const what = `ports (${serviceName(service)} meets ${serviceName(other)})`;
    return `${what} of ${object}; give each its own ports, or make one target of them`;
  }
  return undefined;
}

function serviceName({ protocol, ports }: Service): string {
  return protocol === null ? 'the addresses' : ports === null ? protocol : `${protocol} ${ports}`;
}
