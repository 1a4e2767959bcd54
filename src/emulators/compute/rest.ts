import type { EmulatorRequest, EmulatorResponse, Service } from '../server.ts';
import { ApiError, failure, forbidden, json, notFound, refusal } from './answers.ts';
import { parseFilter } from './filter.ts';
import type { Operations } from './operations.ts';
import { parseFields, type Store } from './store.ts';

interface Call {
  readonly project: string;
  /** The last name in the path; empty for a listing. */
  readonly name: string;
  readonly query: URLSearchParams;
  readonly body: string;
}

interface Route {
  readonly operation: string;
  readonly method: string;
  /** Groups: the project, then the name. */
  readonly path: RegExp;
  /** https://docs.cloud.google.com/compute/docs/access/iam-permissions */
  readonly permissions: readonly string[];
  readonly writes: boolean;
  answer(call: Call): unknown;
}

/** The methods of the Compute Engine API, v1, that firewall rules need, by their documented paths. */
export function makeService(given: {
  store: Store;
  operations: Operations;
  link: (project: string, path: string) => string;
  pageSize: number;
  denied: readonly string[];
}): Service {
  const { store, operations, link } = given;
  const routes = [...firewallRoutes(), ...otherRoutes()];

  function page(call: Call, kind: string, resources: readonly object[], path: string): object {
    const { query } = call;
    const matching = resources.filter(parseFilter(query.get('filter')));
    const asked = Number(query.get('maxResults') ?? given.pageSize);
    if (!Number.isInteger(asked) || asked < 0 || asked > 500)
      throw new ApiError(
        400,
        'invalid',
        `Invalid value for field 'maxResults': '${asked}'. Must be between 0 and 500.`,
      );
    const size = Math.min(asked || given.pageSize, given.pageSize);
    const from = tokenOffset(query.get('pageToken'));
    const items = matching.slice(from, from + size);
    return {
      kind,
      id: `projects/${call.project}/${path}`,
      // The real service leaves `items` out of an empty listing.
      ...(items.length > 0 ? { items } : {}),
      ...(from + size < matching.length ? { nextPageToken: token(from + size) } : {}),
      selfLink: link(call.project, path),
    };
  }

  function write(call: Call, type: 'insert' | 'patch' | 'update' | 'delete'): object {
    const { project } = call;
    const requestId = requestIdOf(call.query);
    const repeated = operations.repeated(project, requestId);
    if (repeated) return repeated;
    const fields = type === 'delete' ? undefined : parseFields(call.body);
    const name = type === 'insert' ? (fields?.name ?? '') : call.name;
    const targetLink = link(project, `global/firewalls/${name}`);
    operations.settle(targetLink);
    const target =
      fields === undefined
        ? store.rule(project, name)
        : type === 'insert'
          ? store.inserted(project, fields)
          : type === 'patch'
            ? store.patched(project, name, fields)
            : store.updated(project, name, fields);
    const effect = () => (fields ? store.put(project, target) : store.delete(project, name));
    return operations.start({ project, type, targetLink, targetId: target.id, effect, requestId });
  }

  function firewallRoutes(): Route[] {
    const all = /^projects\/([^/]+)\/global\/firewalls$/;
    const one = /^projects\/([^/]+)\/global\/firewalls\/([^/]+)$/;
    const policy = 'compute.networks.updatePolicy';
    const route = (
      method: string,
      verb: string,
      path: RegExp,
      permissions: string[],
      answer: (call: Call) => unknown,
    ): Route => ({
      operation: `firewalls.${verb}`,
      method,
      path,
      permissions,
      writes: method !== 'GET',
      answer,
    });
    return [
      route('GET', 'list', all, ['compute.firewalls.list'], (call) =>
        page(call, 'compute#firewallList', store.rules(call.project), 'global/firewalls'),
      ),
      route('GET', 'get', one, ['compute.firewalls.get'], (call) => store.rule(call.project, call.name)),
      route('POST', 'insert', all, ['compute.firewalls.create', policy], (call) => write(call, 'insert')),
      route('PATCH', 'patch', one, ['compute.firewalls.update', policy], (call) => write(call, 'patch')),
      route('PUT', 'update', one, ['compute.firewalls.update', policy], (call) => write(call, 'update')),
      route('DELETE', 'delete', one, ['compute.firewalls.delete', policy], (call) => write(call, 'delete')),
    ];
  }

  function otherRoutes(): Route[] {
    const network = (project: string, name: string) => ({
      kind: 'compute#network',
      id: '1000000000000000000',
      name,
      autoCreateSubnetworks: true,
      selfLink: link(project, `global/networks/${name}`),
    });
    const poll = (call: Call) => operations.poll(call.project, call.name);
    const read = (
      operation: string,
      method: string,
      path: RegExp,
      permission: string,
      answer: (call: Call) => unknown,
    ): Route => ({ operation, method, path, permissions: [permission], writes: false, answer });
    const operation = /^projects\/([^/]+)\/global\/operations\/([^/]+)$/;
    return [
      read('globalOperations.get', 'GET', operation, 'compute.globalOperations.get', poll),
      read(
        'globalOperations.wait',
        'POST',
        /^projects\/([^/]+)\/global\/operations\/([^/]+)\/wait$/,
        'compute.globalOperations.get',
        poll,
      ),
      read(
        'globalOperations.list',
        'GET',
        /^projects\/([^/]+)\/global\/operations$/,
        'compute.globalOperations.list',
        (call) => page(call, 'compute#operationList', operations.list(call.project), 'global/operations'),
      ),
      read(
        'networks.list',
        'GET',
        /^projects\/([^/]+)\/global\/networks$/,
        'compute.networks.list',
        (call) => {
          const all = store.networks(call.project).map((name) => network(call.project, name));
          return page(call, 'compute#networkList', all, 'global/networks');
        },
      ),
      read(
        'networks.get',
        'GET',
        /^projects\/([^/]+)\/global\/networks\/([^/]+)$/,
        'compute.networks.get',
        ({ project, name }) => {
          if (!store.networks(project).includes(name))
            throw notFound(`projects/${project}/global/networks/${name}`);
          return network(project, name);
        },
      ),
      read('projects.get', 'GET', /^projects\/([^/]+)$/, 'compute.projects.get', ({ project }) => {
        store.rules(project);
        return { kind: 'compute#project', name: project, selfLink: link(project, '') };
      }),
    ];
  }

  function find(request: EmulatorRequest): { route: Route; call: Call } | undefined {
    const url = new URL(request.url, 'http://localhost');
    const path = url.pathname.match(/^\/compute\/v1\/(.*)$/)?.[1] ?? '';
    for (const route of routes) {
      const match = route.method === request.method && route.path.exec(path);
      if (!match) continue;
      const [project = '', name = ''] = match.slice(1).map(decodeURIComponent);
      return { route, call: { project, name, query: url.searchParams, body: request.body } };
    }
    return undefined;
  }

  return {
    describe(request) {
      const found = find(request);
      return { operation: found?.route.operation ?? 'unknown', writes: found?.route.writes ?? false };
    },
    handle(request): EmulatorResponse {
      operations.tick();
      try {
        const found = find(request);
        if (!found) throw new ApiError(404, 'notFound', 'Not Found');
        const { route, call } = found;
        const missing = route.permissions.find((permission) => given.denied.includes(permission));
        if (missing) throw forbidden(missing, pathOf(route, call));
        return json(200, route.answer(call));
      } catch (error) {
        if (error instanceof ApiError) return failure(error);
        throw error;
      }
    },
    refuse: refusal,
  };
}

/** The object that a permission is missing for: the project for listings. */
function pathOf({ operation }: Route, { project, name }: Call): string {
  const collection = { firewalls: 'firewalls', globalOperations: 'operations', networks: 'networks' };
  const segment = Object.entries(collection).find(([prefix]) => operation.startsWith(`${prefix}.`))?.[1];
  return segment && name ? `projects/${project}/global/${segment}/${name}` : `projects/${project}`;
}

/** https://docs.cloud.google.com/compute/docs/reference/rest/v1/firewalls/insert (`requestId`: a UUID, not zero) */
function requestIdOf(query: URLSearchParams): string | undefined {
  const id = query.get('requestId');
  if (id === null) return undefined;
  const valid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id) && /[^0-]/.test(id);
  if (!valid)
    throw new ApiError(400, 'invalid', `Invalid value for field 'requestId': '${id}'. Must be a valid UUID.`);
  return id;
}

function token(offset: number): string {
  return Buffer.from(`at:${offset}`).toString('base64url');
}

function tokenOffset(text: string | null): number {
  if (text === null || text === '') return 0;
  const match = /^at:(\d+)$/.exec(Buffer.from(text, 'base64url').toString());
  if (!match)
    throw new ApiError(400, 'invalid', `Invalid value for field 'pageToken': '${text}'. Invalid page token.`);
  return Number(match[1]);
}
