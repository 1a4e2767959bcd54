import {
  type Emulator,
  type EmulatorOptions,
  type EmulatorRequest,
  type EmulatorResponse,
  type Service,
  startEmulator,
} from '../server.ts';
import { ACTIONS, type Outcome, type Setting } from './actions.ts';
import { addGroup, authorize, modify, revoke } from './changes.ts';
import { findGroup, type PrefixList, type Rule, ruleById, type World } from './model.ts';
import type { Permission } from './permission.ts';
import { parseForm } from './query.ts';
import { Rejection } from './rejection.ts';
import { writeAnswer, writeError } from './xml.ts';

export type { Rule } from './model.ts';
export type { Permission } from './permission.ts';

export interface Ec2Options extends EmulatorOptions {
  /** Inbound rules a group may have in each family. Default 60, as with AWS. */
  quota?: number;
  /** The most items of one page, when the caller asks for more or for none. Default 1000. */
  pageSize?: number;
  /** After a write over HTTP, so many reads still show what was there before it. Default 0. */
  readLag?: number;
  /** Default `us-west-2`. */
  region?: string;
  /** Default `123456789012`. */
  accountId?: string;
  /** Prefix lists that rules may refer to. Default none. */
  prefixLists?: readonly PrefixList[];
}

/** A running EC2. The functions change it from behind, as a person in the console would: they throw what a request would be refused with. */
export interface Ec2 extends Emulator {
  /** Gives the id of the new group. */
  createGroup(group: { id?: string; name: string; vpcId?: string }): string;
  /** All rules of a group as they are now, the outbound one included. */
  rules(groupId: string): readonly Rule[];
  /** Adds inbound rules and gives them back. */
  authorize(groupId: string, ...permissions: Permission[]): readonly Rule[];
  revoke(ruleId: string): void;
  modify(ruleId: string, change: Partial<Permission>): void;
}

/**
 * Serves the security group part of EC2 on loopback, in the Query protocol of version 2016-11-15. Any credentials
 * will do. Tags, outbound changes and the default VPC are not emulated: asking for them is refused, never ignored.
 * Throws when the port is taken.
 */
export async function startEc2(options: Ec2Options = {}): Promise<Ec2> {
  const { quota = 60, pageSize = 1000, readLag = 0, region = 'us-west-2' } = options;
  const setting: Setting = {
    account: { id: options.accountId ?? '123456789012', region },
    pageSize,
    vpcId: 'vpc-0a1b2c3d4e5f60718',
  };
  let world: World = { groups: [], rules: [], issued: 0, quota, prefixLists: options.prefixLists ?? [] };
  /** What reads still show, oldest first, and for how many more of them. */
  let past: { world: World; reads: number }[] = [];
  /** What the latest first page was read from. */
  let listed = world;
  let answered = 0;

  function handle(request: EmulatorRequest): EmulatorResponse {
    const requestId = requestIdFrom(++answered);
    try {
      const action = actionOf(request);
      return xml(200, requestId, writeAnswer(action, requestId, perform(action, request.body).body));
    } catch (error) {
      if (!(error instanceof Rejection)) throw error;
      return xml(error.status, requestId, writeError(error.code, error.message, requestId));
    }
  }

  function perform(name: string, body: string): Outcome {
    if (name === '') throw new Rejection('MissingAction', 'The request must contain the parameter Action');
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
    // Recorded: https://github.com/cognitect-labs/aws-api/issues/6
    if (!action)
      throw new Rejection('InvalidAction', `The action ${name} is not valid for this web service.`);
    const query = parseForm(body);
    const version = query.text('Version');
    query.text('Action');
    // Recorded: https://github.com/boto/boto3/issues/1138
    if (version !== '2016-11-15')
      throw new Rejection(
        'NoSuchVersion',
        `The requested version (${version}) of service AmazonEC2 does not exist`,
      );
    const dryRun = query.flag('DryRun');
    const outcome = action(query, writes(name) ? world : view(query.has('NextToken')), setting);
    query.finish();
    // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html#CommonErrors
    if (dryRun)
      throw new Rejection('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.', 412);
    if (writes(name)) {
      if (readLag > 0) past.push({ world, reads: readLag });
      world = outcome.world;
    }
    return outcome;
  }

  /** What a read sees. With a lag, the further pages of a listing see what its first page saw and use up no read. */
  function view(continued: boolean): World {
    if (continued) return readLag > 0 ? listed : world;
    listed = past[0]?.world ?? world;
    past = past.flatMap((old) => (old.reads > 1 ? { ...old, reads: old.reads - 1 } : []));
    return listed;
  }

  const service: Service = {
    describe: (request) => {
      const operation = actionOf(request);
      return { operation, writes: writes(operation) };
    },
    handle,
    refuse: (kind) => refusal(kind, requestIdFrom(++answered)),
  };

  return {
    ...(await startEmulator(service, options)),
    createGroup: ({ id, name, vpcId = setting.vpcId }) => {
      const added = addGroup(world, { id, name, description: name, vpcId });
      world = added.world;
      return added.group.id;
    },
    rules: (groupId) => world.rules.filter((rule) => rule.groupId === findGroup(world, groupId).id),
    authorize: (groupId, ...permissions) => {
      const added = authorize(world, groupId, permissions);
      world = added.world;
      return added.rules;
    },
    revoke: (ruleId) => {
      world = revoke(world, [ruleById(world, ruleId)]);
    },
    modify: (ruleId, change) => {
      const rule = ruleById(world, ruleId);
      world = modify(world, rule.groupId, [{ rule, permission: { ...rule, ...change } }]);
    },
  };
}

function actionOf({ body }: EmulatorRequest): string {
  return new URLSearchParams(body).get('Action') ?? '';
}

function writes(action: string): boolean {
  return !action.startsWith('Describe');
}

/**
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (server error codes); the throttling as
 * recorded in https://github.com/cloudfoundry/bosh-aws-cpi-release/issues/61.
 */
function refusal(kind: 'server-error' | 'unavailable' | 'throttle', requestId: string): EmulatorResponse {
  switch (kind) {
    case 'throttle':
      return xml(503, requestId, writeError('RequestLimitExceeded', 'Request limit exceeded.', requestId));
    case 'unavailable': {
      const message = 'The service is unavailable. Please try again shortly.';
      const answer = xml(503, requestId, writeError('Unavailable', message, requestId));
      return { ...answer, headers: { ...answer.headers, 'retry-after': '1' } };
    }
    case 'server-error':
      return xml(500, requestId, writeError('InternalError', 'An internal error has occurred', requestId));
  }
}

function xml(status: number, requestId: string, body: string): EmulatorResponse {
  return {
    status,
    headers: { 'content-type': 'text/xml;charset=UTF-8', 'x-amzn-requestid': requestId },
    body,
  };
}

function requestIdFrom(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
}
