import { STATUS_CODES } from 'node:http';
import { ApiError, notFound } from './answers.ts';

/** What an operation ended with instead of success. */
export interface OperationFailure {
  /** Such as `RESOURCE_OPERATION_RATE_EXCEEDED`. */
  readonly code: string;
  readonly message: string;
  /** Default 400. */
  readonly httpStatus?: number;
}

/** https://docs.cloud.google.com/compute/docs/reference/rest/v1/globalOperations */
interface OperationResource {
  readonly kind: 'compute#operation';
  readonly id: string;
  readonly name: string;
  readonly operationType: string;
  readonly targetLink: string;
  readonly targetId: string;
  readonly status: 'PENDING' | 'RUNNING' | 'DONE';
  readonly user: string;
  readonly progress: number;
  readonly insertTime: string;
  readonly startTime?: string;
  readonly endTime?: string;
  readonly selfLink: string;
  readonly error?: { readonly errors: readonly { readonly code: string; readonly message: string }[] };
  readonly httpErrorStatusCode?: number;
  readonly httpErrorMessage?: string;
}

/** What a write wants done. */
export interface Work {
  readonly project: string;
  readonly type: 'insert' | 'patch' | 'update' | 'delete';
  readonly targetLink: string;
  readonly targetId: string;
  /** Makes the change; called once, when the operation is done. An `ApiError` it throws is what the operation ends with. */
  readonly effect: () => void;
  readonly requestId: string | undefined;
}

interface Running {
  resource: OperationResource;
  readonly work: Work;
  readonly failure: OperationFailure | undefined;
  polls: number;
  requestsSince: number;
}

/** The service does not wait for its caller: what nobody polls is done after this many other requests. */
const UNATTENDED = 3;

export interface Operations {
  /** Starts one; its change takes effect when it is done. A known `requestId` gives the first operation again. */
  start(work: Work): OperationResource;
  /** What the same request, sent before, started. */
  repeated(project: string, requestId: string | undefined): OperationResource | undefined;
  /** One poll, by `get` or `wait`. Throws 404. */
  poll(project: string, name: string): OperationResource;
  list(project: string): OperationResource[];
  /** Ends what is under way on one object: its operations run one after another. */
  settle(targetLink: string): void;
  /** To be called at every request to `project`. */
  tick(project: string): void;
  failNext(failure: OperationFailure): void;
}

/** What went wrong while the change was made: the object was changed or taken away since it was accepted. */
function attempt(work: Work): OperationFailure | undefined {
  try {
    work.effect();
    return undefined;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { code: CODES[error.status] ?? 'INVALID_USAGE', message: error.message, httpStatus: error.status };
  }
}

/** As recorded in https://github.com/ansible/ansible-modules-core/issues/61 (the second) */
const CODES: Readonly<Record<number, string>> = { 404: 'RESOURCE_NOT_FOUND', 409: 'RESOURCE_ALREADY_EXISTS' };

/** `httpErrorMessage` is the status' own phrase. */
const phrase = (status: number) => STATUS_CODES[status]?.toUpperCase() ?? '';

/** Operations that answer RUNNING to the first `polls` polls and DONE to the next. */
export function makeOperations(given: {
  polls: number;
  link: (project: string, path: string) => string;
  newId: () => string;
  timestamp: () => string;
}): Operations {
  const all = new Map<string, Running>();
  const failures: OperationFailure[] = [];
  const key = (project: string, name: string) => `${project}/${name}`;

  function finish(running: Running): OperationResource {
    if (running.resource.status === 'DONE') return running.resource;
    const failure = running.failure ?? attempt(running.work);
    const time = given.timestamp();
    running.resource = {
      ...running.resource,
      startTime: running.resource.startTime ?? time,
      endTime: time,
      status: 'DONE',
      progress: 100,
      ...(failure
        ? {
            error: { errors: [{ code: failure.code, message: failure.message }] },
            httpErrorStatusCode: failure.httpStatus ?? 400,
            httpErrorMessage: phrase(failure.httpStatus ?? 400),
          }
        : {}),
    };
    return running.resource;
  }

  function repeated(project: string, requestId: string | undefined): OperationResource | undefined {
    if (requestId === undefined) return undefined;
    for (const { work, resource } of all.values())
      if (work.project === project && work.requestId === requestId) return resource;
    return undefined;
  }

  return {
    repeated,
    start(work) {
      const id = given.newId();
      const name = `operation-${id.slice(0, 13)}-${id.slice(-12)}`;
      const resource: OperationResource = {
        kind: 'compute#operation',
        id,
        name,
        operationType: work.type,
        targetLink: work.targetLink,
        targetId: work.targetId,
        status: 'PENDING',
        user: 'emulator@example.com',
        progress: 0,
        insertTime: given.timestamp(),
        selfLink: given.link(work.project, `global/operations/${name}`),
      };
      const failure = failures.shift();
      all.set(key(work.project, name), { resource, work, failure, polls: 0, requestsSince: 0 });
      return resource;
    },
    poll(project, name) {
      const running = all.get(key(project, name));
      if (!running) throw notFound(`projects/${project}/global/operations/${name}`);
      if (running.resource.status === 'DONE') return running.resource;
      running.polls += 1;
      running.requestsSince = 0;
      if (running.polls > given.polls) return finish(running);
      running.resource = {
        ...running.resource,
        status: 'RUNNING',
        startTime: running.resource.startTime ?? given.timestamp(),
      };
      return running.resource;
    },
    list: (project) =>
      [...all.values()].filter(({ work }) => work.project === project).map(({ resource }) => resource),
    settle(targetLink) {
      for (const running of all.values()) if (running.work.targetLink === targetLink) finish(running);
    },
    tick(project) {
      for (const running of all.values()) {
        if (running.work.project !== project) continue;
        running.requestsSince += 1;
        if (running.requestsSince > UNATTENDED) finish(running);
      }
    },
    failNext: (failure) => void failures.push(failure),
  };
}
