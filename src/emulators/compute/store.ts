import { ApiError, alreadyExists, invalidField, notFound } from './answers.ts';
import { complete, type FirewallFields, type FirewallResource, fieldsSchema } from './model.ts';

interface Project {
  readonly networks: Set<string>;
  readonly firewalls: Map<string, FirewallResource>;
}

/** The projects, their networks and rules. Changes are computed first, and stored when their operation is done. */
export interface Store {
  rules(project: string): FirewallResource[];
  /** Throws 404. */
  rule(project: string, name: string): FirewallResource;
  networks(project: string): string[];
  addNetwork(project: string, name: string): void;
  /** The rule as `fields` would make it. Throws {@link ApiError}. */
  inserted(project: string, fields: FirewallFields): FirewallResource;
  patched(project: string, name: string, fields: FirewallFields): FirewallResource;
  updated(project: string, name: string, fields: FirewallFields): FirewallResource;
  put(project: string, resource: FirewallResource): void;
  delete(project: string, name: string): void;
}

export interface StoreGiven {
  /** The projects that exist; undefined: any. */
  projects: readonly string[] | undefined;
  link: (project: string, path: string) => string;
  newId: () => string;
  timestamp: () => string;
}

export function makeStore({ projects, link, newId, timestamp }: StoreGiven): Store {
  const all = new Map<string, Project>();

  function open(project: string): Project {
    if (projects && !projects.includes(project)) throw notFound(`projects/${project}`);
    const known = all.get(project) ?? { networks: new Set(['default']), firewalls: new Map() };
    all.set(project, known);
    return known;
  }

  /** A network by its full or partial URL, as its full URL. */
  function networkUrl(project: string, given: string): string {
    const path = given.replace(/^https?:\/\/[^/]+\/compute\/[^/]+\//, '');
    const match = /^(?:projects\/([^/]+)\/)?global\/networks\/([^/]+)$/.exec(path);
    if (!match)
      throw invalidField(
        'network',
        given,
        'The URL is malformed. Must be a valid Network URL or partial URL.',
      );
    const [, owner = project, name = ''] = match;
    // https://github.com/AppScale/appscale-tools/issues/339
    if (owner !== project)
      throw invalidField(
        'network',
        given,
        'Cross-project references for this resource type are not allowed.',
      );
    if (!open(project).networks.has(name)) throw notFound(`projects/${project}/global/networks/${name}`);
    return link(project, `global/networks/${name}`);
  }

  function rule(project: string, name: string): FirewallResource {
    const found = open(project).firewalls.get(name);
    if (!found) throw notFound(`projects/${project}/global/firewalls/${name}`);
    return found;
  }

  function changed(current: FirewallResource, project: string, fields: FirewallFields): FirewallResource {
    const { kind, id, creationTimestamp, selfLink, name } = current;
    const network = networkUrl(project, fields.network ?? current.network);
    const spec = complete({ ...fields, name, network });
    for (const field of ['network', 'direction'] as const)
      if (spec[field] !== current[field])
        throw invalidField(field, spec[field], `The ${field} of a firewall rule cannot be changed.`);
    return { kind, id, creationTimestamp, ...spec, selfLink };
  }

  return {
    rules: (project) => [...open(project).firewalls.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    rule,
    networks: (project) => [...open(project).networks].sort(),
    addNetwork: (project, name) => void open(project).networks.add(name),
    inserted(project, fields) {
      const network = networkUrl(project, fields.network ?? 'global/networks/default');
      const spec = complete({ ...fields, network });
      const path = `global/firewalls/${spec.name}`;
      if (open(project).firewalls.has(spec.name)) throw alreadyExists(`projects/${project}/${path}`);
      const [id, creationTimestamp] = [newId(), timestamp()];
      return { kind: 'compute#firewall', id, creationTimestamp, ...spec, selfLink: link(project, path) };
    },
    patched(project, name, fields) {
      const current = rule(project, name);
      // What is sent replaces what is there, an explicit `[]` or null clears it; the rest stays.
      return changed(current, project, { ...asFields(current), ...fields });
    },
    updated(project, name, fields) {
      const current = rule(project, name);
      return changed(current, project, { direction: current.direction, ...fields });
    },
    put: (project, resource) => void open(project).firewalls.set(resource.name, resource),
    delete: (project, name) => void open(project).firewalls.delete(name),
  };
}

function asFields(resource: FirewallResource): FirewallFields {
  return fieldsSchema.parse(resource);
}

/** Reads a request's JSON. Throws {@link ApiError} when it is none, or has a field that a rule has not. */
export function parseFields(body: string): FirewallFields {
  // Node's client sends a resource of nothing but empty lists as the JSON string "".
  if (body === '' || body === '""')
    throw new ApiError(400, 'required', "Required field 'resource' not specified");
  let data: unknown;
  try {
    data = JSON.parse(body);
  } catch {
    throw new ApiError(400, 'parseError', 'Parse Error');
  }
  const parsed = fieldsSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = issue?.path.join('.') ?? '';
  if (issue?.code === 'unrecognized_keys')
    throw new ApiError(
      400,
      'badRequest',
      `Invalid JSON payload received. Unknown name "${issue.keys[0]}"${path && ` at '${path}'`}: Cannot find field.`,
    );
  throw new ApiError(400, 'invalid', `Invalid value for field 'resource.${path}'. ${issue?.message ?? ''}`);
}
