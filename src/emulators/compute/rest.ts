import type { EmulatorResponse, Service } from '../server.ts';
import { ApiError, failure, forbidden, invalidParameter, json, refusal } from './answers.ts';
import { type FirewallFields, parseFields } from './fields.ts';
import { type Listing, listingOf } from './listing.ts';
import type { FirewallResource } from './model.ts';
import type { Operations, Work } from './operations.ts';
import { type Call, findRoute, type Route } from './routes.ts';
import type { Store } from './store.ts';

export interface RestGiven {
  store: Store;
  operations: Operations;
  link: (project: string, path: string) => string;
  pageSize: number;
  /** Permissions that the caller lacks; read anew at every request. */
  denied: readonly string[];
}

/** The methods of the Compute Engine API, v1, that firewall rules need. */
export function makeService({ store, operations, link, pageSize, denied }: RestGiven): Service {
  function answer({ method }: Route, call: Call): unknown {
    const { project, name } = call;
    switch (method) {
      case 'firewalls.list':
        return list(call, 'compute#firewallList', 'global/firewalls', store.rules(project));
      case 'firewalls.get':
        return store.rule(project, name);
      case 'firewalls.insert':
        return write(call, 'insert');
      case 'firewalls.patch':
        return write(call, 'patch');
      case 'firewalls.update':
        return write(call, 'update');
      case 'firewalls.delete':
        return write(call, 'delete');
      case 'globalOperations.list':
        return list(call, 'compute#operationList', 'global/operations', operations.list(project));
      case 'globalOperations.get':
      case 'globalOperations.wait':
        return operations.poll(project, name);
      case 'networks.list':
        return list(call, 'compute#networkList', 'global/networks', store.networks(project));
      case 'networks.get':
        return store.network(project, name);
      case 'projects.get':
        return store.project(project);
    }
  }

  function list(call: Call, kind: string, path: string, resources: readonly object[]): Listing {
    const head = { kind, id: `projects/${call.project}/${path}`, selfLink: link(call.project, path) };
    return listingOf(head, resources, call.query, pageSize);
  }

  function write(call: Call, type: Work['type']): object {
    const { project } = call;
    const requestId = requestIdOf(call.query);
    const repeated = operations.repeated(project, requestId);
    if (repeated) return repeated;
    const fields = type === 'delete' ? {} : parseFields(call.body);
    const name = type === 'insert' ? (fields.name ?? '') : call.name;
    const targetLink = link(project, `global/firewalls/${name}`);
    operations.settle(targetLink);
    const target = resultOf(type, project, name, fields);
    const effect = () => carryOut(type, project, target, fields);
    return operations.start({ project, type, targetLink, targetId: target.id, effect, requestId });
  }

  /** What a write would make of the rule as it is now. Throws what it would be refused with. */
  function resultOf(
    type: Work['type'],
    project: string,
    name: string,
    fields: FirewallFields,
  ): FirewallResource {
    switch (type) {
      case 'insert':
        return store.inserted(project, fields);
      case 'patch':
        return store.patched(project, name, fields);
      case 'update':
        return store.updated(project, name, fields);
      case 'delete':
        return store.rule(project, name);
    }
  }

  /** Does it, to the rule as it is by then: a person may have been faster. */
  function carryOut(
    type: Work['type'],
    project: string,
    accepted: FirewallResource,
    fields: FirewallFields,
  ): void {
    const { id, name } = accepted;
    const result = resultOf(type, project, name, fields);
    if (type === 'delete') store.delete(project, name);
    else store.put(project, type === 'insert' ? { ...result, id } : result);
  }

  /** The object that a permission is missing for, as the refusals name it: the project for listings. */
  function objectOf(permission: string, { method }: Route, call: Call): string {
    const project = `projects/${call.project}`;
    if (permission === 'compute.networks.updatePolicy') {
      const network =
        method === 'firewalls.insert'
          ? (parseFields(call.body).network ?? 'default')
          : store.rule(call.project, call.name).network;
      return `${project}/global/networks/${network.split('/').at(-1)}`;
    }
    const name = method === 'firewalls.insert' ? (parseFields(call.body).name ?? '') : call.name;
    const collection = method.startsWith('globalOperations.') ? 'operations' : method.split('.')[0];
    return name ? `${project}/global/${collection}/${name}` : project;
  }

  return {
    describe(request) {
      const route = findRoute(request)?.route;
      return { operation: route?.method ?? 'unknown', writes: route?.writes ?? false };
    },
    handle(request): EmulatorResponse {
      try {
        const found = findRoute(request);
        if (!found) throw new ApiError(404, 'notFound', 'Not Found');
        const { route, call } = found;
        operations.tick(call.project);
        const missing = route.permissions.find((permission) => denied.includes(permission));
        if (missing) throw forbidden(missing, objectOf(missing, route, call));
        return json(200, answer(route, call));
      } catch (error) {
        if (error instanceof ApiError) return failure(error);
        throw error;
      }
    },
    refuse: refusal,
  };
}

/** "A valid UUID with the exception that zero UUID is not supported": the page of each writing method. */
function requestIdOf(query: URLSearchParams): string | undefined {
  const id = query.get('requestId');
  if (id === null) return undefined;
  const valid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id) && /[^0-]/.test(id);
  if (!valid) throw invalidParameter('requestId', id, 'Must be a valid UUID, not zero.');
  return id;
}
