import { systemClock } from '../../clock.ts';
import { type Emulator, type EmulatorOptions, startEmulator } from '../server.ts';
import type { FirewallFields } from './fields.ts';
import type { FirewallResource } from './model.ts';
import { makeOperations, type OperationFailure } from './operations.ts';
import { makeService } from './rest.ts';
import { makeStore } from './store.ts';

export type { FirewallFields } from './fields.ts';
export type { FirewallResource } from './model.ts';

export interface ComputeOptions extends EmulatorOptions {
  /** Most items of one page; default 500, as the service's own limit. */
  pageSize?: number;
  /** How many polls of an operation answer RUNNING before one answers DONE; default 1. */
  operationPolls?: number;
  /** The only project that exists; without it every project does. */
  project?: string;
  /** Permissions that the caller lacks (`compute.firewalls.update`); looked at on every request. */
  denied?: readonly string[];
  /** Milliseconds since the epoch, for time stamps. */
  now?: () => number;
}

/** An emulated Compute Engine, and what a person does to it behind the tool's back (at once, without operations). */
export interface Compute extends Emulator {
  /** All rules of a project, sorted by name. */
  rules(project: string): readonly FirewallResource[];
  rule(project: string, name: string): FirewallResource | undefined;
  /** Throws what the API would refuse with. */
  insert(project: string, fields: FirewallFields): FirewallResource;
  /** Sets fields of a rule; `[]` or null clears one. Throws what the API would refuse with. */
  edit(project: string, name: string, fields: FirewallFields): FirewallResource;
  remove(project: string, name: string): void;
  addNetwork(project: string, name: string): void;
  /** The next write is accepted, and its operation ends with this error and no effect. */
  failNextOperation(failure: OperationFailure): void;
}

/** Serves the Compute Engine API, v1, for VPC firewall rules, under `/compute/v1/` on loopback. */
export async function startCompute(options: ComputeOptions = {}): Promise<Compute> {
  const now = options.now ?? systemClock.now;
  let count = 0n;
  const common = {
    // As in the real answers, whatever endpoint was called.
    link: (project: string, path: string) =>
      `https://www.googleapis.com/compute/v1/projects/${project}/${path}`.replace(/\/$/, ''),
    newId: () => {
      count += 7_919n;
      return String(4_000_000_000_000_000_000n + count);
    },
    timestamp: () => new Date(now()).toISOString().replace('Z', '+00:00'),
  };
  const store = makeStore({ ...common, projects: options.project ? [options.project] : undefined });
  const operations = makeOperations({ ...common, polls: options.operationPolls ?? 1 });
  const service = makeService({
    store,
    operations,
    link: common.link,
    pageSize: options.pageSize ?? 500,
    denied: options.denied ?? [],
  });
  const emulator = await startEmulator(service, options);

  function put(project: string, resource: FirewallResource): FirewallResource {
    store.put(project, resource);
    return resource;
  }
  return {
    ...emulator,
    rules: (project) => store.rules(project),
    rule: (project, name) => store.rules(project).find((rule) => rule.name === name),
    insert: (project, fields) => put(project, store.inserted(project, fields)),
    edit: (project, name, fields) => put(project, store.patched(project, name, fields)),
    remove(project, name) {
      store.rule(project, name);
      store.delete(project, name);
    },
    addNetwork: (project, name) => store.addNetwork(project, name),
    failNextOperation: (failure) => operations.failNext(failure),
  };
}
