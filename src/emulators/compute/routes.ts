import type { EmulatorRequest } from '../server.ts';

/** One request, taken apart by its route. */
export interface Call {
  readonly project: string;
  /** The last name in the path; empty for a listing. */
  readonly name: string;
  readonly query: URLSearchParams;
  readonly body: string;
}

/** The methods that this emulator has, as the API calls them. */
type Method =
  | `firewalls.${'list' | 'get' | 'insert' | 'patch' | 'update' | 'delete'}`
  | `globalOperations.${'list' | 'get' | 'wait'}`
  | `networks.${'list' | 'get'}`
  | 'projects.get';

export interface Route {
  readonly method: Method;
  readonly verb: string;
  /** Groups: the project, then the name. */
  readonly path: RegExp;
  readonly writes: boolean;
  /** Each method's page names them under "IAM Permissions". */
  readonly permissions: readonly string[];
}

/** https://docs.cloud.google.com/compute/docs/reference/rest/v1 */
const ROUTES: readonly Route[] = [
  route('firewalls.list', 'GET', 'global/firewalls', ['compute.firewalls.list']),
  route('firewalls.get', 'GET', 'global/firewalls/*', ['compute.firewalls.get']),
  route('firewalls.insert', 'POST', 'global/firewalls', policy('compute.firewalls.create')),
  route('firewalls.patch', 'PATCH', 'global/firewalls/*', policy('compute.firewalls.update')),
  route('firewalls.update', 'PUT', 'global/firewalls/*', policy('compute.firewalls.update')),
  route('firewalls.delete', 'DELETE', 'global/firewalls/*', policy('compute.firewalls.delete')),
  route('globalOperations.list', 'GET', 'global/operations', ['compute.globalOperations.list']),
  route('globalOperations.get', 'GET', 'global/operations/*', ['compute.globalOperations.get']),
  route('globalOperations.wait', 'POST', 'global/operations/*/wait', ['compute.globalOperations.get']),
  route('networks.list', 'GET', 'global/networks', ['compute.networks.list']),
  route('networks.get', 'GET', 'global/networks/*', ['compute.networks.get']),
  route('projects.get', 'GET', '', ['compute.projects.get']),
];

/** The route of a request and its parts; undefined for a path or method that the emulator does not have. */
export function findRoute(request: EmulatorRequest): { route: Route; call: Call } | undefined {
  const url = new URL(request.url, 'http://localhost');
  for (const route of ROUTES) {
    const match = route.verb === request.method && route.path.exec(url.pathname);
    if (!match) continue;
    const [project = '', name = ''] = match.slice(1).map(decodeURIComponent);
    return { route, call: { project, name, query: url.searchParams, body: request.body } };
  }
  return undefined;
}

function route(method: Method, verb: string, path: string, permissions: string[]): Route {
  const pattern = ['projects/([^/]+)', ...(path ? [path.replace('*', '([^/]+)')] : [])].join('/');
  const writes = method.startsWith('firewalls.') && verb !== 'GET';
  return { method, verb, path: new RegExp(`^/compute/v1/${pattern}$`), writes, permissions };
}

/** Whoever changes a rule changes the policy of its network too. */
function policy(permission: string): string[] {
  return [permission, 'compute.networks.updatePolicy'];
}
