import { z } from 'zod';
import { sortCidrs } from '../../src/cidr.ts';
import { ConflictError, FatalError } from '../../src/errors.ts';
import {
  allowSchema,
  type Change,
  defineProvider,
  type Io,
  type Opened,
  type Snapshot,
  servicesMeet,
  servicesOf,
  type TargetSpec,
} from '../provider.ts';
import { type Compute, openCompute } from './client.ts';
import type { Call } from './errors.ts';
import { networkName, type Rule, type RuleSpec, rangesOf, ruleSchema } from './rule.ts';
import { snapshotOf } from './snapshot.ts';
import { refuseOpen, type Step, stepsOf } from './steps.ts';

/** https://cloud.google.com/compute/docs/naming-resources#resource-name-format (RFC 1035) */
const NAME = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const nameRule = 'must be lower-case letters, digits or `-`, starting with a letter and not ending with `-`';

const options = z
  .strictObject({
    project: z
      .string()
      .regex(/^([a-z0-9.-]+:)?[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be a project id')
      .describe('Project id; for a shared VPC, that of the host project'),
    network: z
      .string()
      .max(63)
      .regex(NAME, `must be the name of a network of \`project\`, without a path: it ${nameRule}`)
      .default('default')
      .describe('Name of a VPC network of `project`'),
    rule: z
      .string()
      .max(60, 'must have at most 60 characters: the IPv6 rule is called `<rule>-v6`')
      .regex(NAME, nameRule)
      .describe('Name of the IPv4 rule; the IPv6 rule is `<rule>-v6`'),
    allow: allowSchema
      .refine((allow) => !hasOverlap(servicesOf(allow)), 'names the same ports of a protocol twice')
      .describe('The ports that the addresses may reach'),
    // The limits: https://cloud.google.com/firewall/docs/quotas#limits
    targetTags: z
      .array(z.string().max(63).regex(NAME, nameRule))
      .min(1)
      .max(70)
      .optional()
      .describe('Network tags of the instances that are opened; all of the network without them'),
    targetServiceAccounts: z
      .array(z.string().regex(/^[^@\s,]+@[^@\s,]+$/, 'must be the e-mail address of a service account'))
      .min(1)
      .max(10)
      .optional()
      .describe('Service accounts of the instances that are opened, instead of tags'),
    priority: z.int().min(0).max(65535).default(1000).describe('0 (first) to 65535'),
    adopt: z.boolean().default(false).describe('Take over a rule of this name that carries no marker'),
    repairDisabled: z.boolean().default(false).describe('Enable the rule again when somebody disabled it'),
  })
  .refine(({ targetTags, targetServiceAccounts }) => !(targetTags && targetServiceAccounts), {
    path: ['targetServiceAccounts'],
    message: 'cannot be used together with `targetTags`',
  });

type Options = z.output<typeof options>;

const name = 'gcp-firewall';

export const provider = defineProvider<Options>({
  name,
  options,
  atomic: true,
  adopts: 'object',
  describe: ({ options: { project, rule, allow } }) => ({
    object: `${name} projects/${project}/global/firewalls/${rule}`,
    services: servicesOf(allow),
    account: `gcp ${project}`,
  }),
  async open(target, io) {
    const spec = specOf(target);
    return firewallTarget(spec, await openCompute(io), io);
  },
});

function firewallTarget(spec: RuleSpec, compute: Compute, io: Io): Opened {
  return {
    read: async () => snapshotOf(await list(compute, spec), spec),
    async write(changes: readonly Change[], snapshot: Snapshot) {
      if (snapshot.unowned) throw snapshot.unowned;
      for (const step of stepsOf(changes, snapshot, spec)) await carryOut(compute, io, spec, step);
    },
  };
}

const pageSchema = z.object({
  kind: z.literal('compute#firewallList'),
  items: z.array(ruleSchema).nullish(),
  nextPageToken: z.string().nullish(),
});

/**
 * All rules of the network, in as few pages as the service allows. The client's own paging follows a repeated token
 * for ever, and takes an answer without a list for an empty one.
 * https://cloud.google.com/compute/docs/reference/rest/v1/firewalls/list
 */
async function list(compute: Compute, spec: RuleSpec): Promise<Rule[]> {
  const call = callOf('list', `projects/${spec.project}`);
  const seen = new Set<string>();
  const rules: Rule[] = [];
  const request = {
    project: spec.project,
    // A rule is of a network of its own project, which the URL may name by id or by number.
    filter: `network eq .*/global/networks/${spec.network}`,
    maxResults: 500,
  };
  for (let pageToken = ''; ; ) {
    const [, , page] = await compute.request(call, (client) =>
      client.list(pageToken ? { ...request, pageToken } : request, { autoPaginate: false }),
    );
    const { data, error } = pageSchema.safeParse(page);
    if (!data) throw badAnswer(call, `page ${seen.size + 1} is no list of rules (${z.prettifyError(error)})`);
    rules.push(...(data.items ?? []));
    pageToken = data.nextPageToken ?? '';
    if (!pageToken) return rules;
    if (seen.has(pageToken))
      throw badAnswer(call, `page ${seen.size + 1} names a page token for the second time`);
    seen.add(pageToken);
  }
}

/** One write and the wait for its operation. The same `requestId` at each retry makes a repeated write harmless. */
async function carryOut(compute: Compute, io: Io, spec: RuleSpec, step: Step): Promise<void> {
  const { project } = spec;
  const requestId = io.uuid();
  const call = callOf(step.action, `projects/${project}/global/firewalls/${step.rule}`);
  if (step.action !== 'delete') refuseOpen(step.fields, call.object);
  const firewall = step.rule;
  let answered: unknown;
  switch (step.action) {
    // https://cloud.google.com/compute/docs/reference/rest/v1/firewalls/insert
    case 'insert': {
      const request = { project, firewallResource: step.fields, requestId };
      try {
        [answered] = await compute.request(call, (client) => client.insert(request));
      } catch (error) {
        if (error instanceof ConflictError) await explainTaken(compute, spec, firewall);
        throw error;
      }
      break;
    }
    // https://cloud.google.com/compute/docs/reference/rest/v1/firewalls/patch
    case 'patch': {
      const request = { project, firewall, firewallResource: step.fields, requestId };
      [answered] = await compute.request(call, (client) => client.patch(request));
      break;
    }
    // https://cloud.google.com/compute/docs/reference/rest/v1/firewalls/update
    case 'update': {
      const firewallResource = await replacementOf(compute, spec, step);
      const request = { project, firewall, firewallResource, requestId };
      [answered] = await compute.request(call, (client) => client.update(request));
      break;
    }
    // https://cloud.google.com/compute/docs/reference/rest/v1/firewalls/delete
    case 'delete': {
      const request = { project, firewall, requestId };
      [answered] = await compute.request(call, (client) => client.delete(request));
      break;
    }
  }
  await compute.settle(latestOf(answered), project, call);
}

/**
 * A rule as it is now: what matters of it, and all that it has, so that a PUT takes nothing else away.
 * https://cloud.google.com/compute/docs/reference/rest/v1/firewalls/get
 */
async function get(compute: Compute, spec: RuleSpec, firewall: string) {
  const call = callOf('get', `projects/${spec.project}/global/firewalls/${firewall}`);
  const [resource] = await compute.request(call, (client) => client.get({ project: spec.project, firewall }));
  const { data: rule, error } = ruleSchema.safeParse(resource);
  if (!rule) throw badAnswer(call, `this is no rule (${z.prettifyError(error)})`);
  return { rule, resource };
}

/**
 * What to PUT: what is there now, with our fields in place. Throws a conflict when the rule is no longer as it was
 * read: this way of writing would undo what somebody else has just done.
 */
async function replacementOf(compute: Compute, spec: RuleSpec, step: Step & { action: 'update' }) {
  const { rule, resource } = await get(compute, spec, step.rule);
  const same = rangesOf(rule).join() === sortCidrs(step.held).join();
  if (!same || (rule.description ?? '') !== step.description)
    throw new ConflictError(`rule ${step.rule} was changed since it was read`);
  return { ...resource, ...step.fields };
}

/** Names of rules are unique in a project, but the listing is that of one network. */
async function explainTaken(compute: Compute, spec: RuleSpec, firewall: string): Promise<void> {
  const { rule } = await get(compute, spec, firewall);
  const network = networkName(rule.network);
  if (network === spec.network) return;
  const object = `projects/${spec.project}/global/firewalls/${firewall}`;
  throw new FatalError('object-differs', `${object} is of network ${network}, not of ${spec.network}`);
}

const PERMISSIONS = {
  list: 'list',
  get: 'get',
  insert: 'create',
  patch: 'update',
  update: 'update',
  delete: 'delete',
} as const;

function callOf(method: keyof typeof PERMISSIONS, object: string): Call {
  return { operation: `firewalls.${method}`, object, permission: `compute.firewalls.${PERMISSIONS[method]}` };
}

function badAnswer({ operation, object }: Call, what: string): FatalError {
  return new FatalError('bad-answer', `${operation} on ${object}: ${what.replace(/\s+/g, ' ')}`);
}

/** The client wraps the operation in an object of another kind of service, whose `name` is an id. */
function latestOf(answered: unknown): unknown {
  return z.object({ latestResponse: z.unknown() }).safeParse(answered).data?.latestResponse;
}

function specOf({ identity, options: given }: TargetSpec<Options>): RuleSpec {
  const { targetTags = [], targetServiceAccounts = [], allow, ...rest } = given;
  return { ...rest, identity, services: servicesOf(allow), targetTags, targetServiceAccounts };
}

function hasOverlap(services: ReturnType<typeof servicesOf>): boolean {
  return services.some((service, index) =>
    services.slice(index + 1).some((other) => servicesMeet(service, other)),
  );
}
