import { alreadyExists, invalidField, notFound } from './answers.ts';
import { type FirewallFields, fieldsSchema } from './fields.ts';
import { complete, type FirewallResource } from './model.ts';

/** The little that is told of a network: https://docs.cloud.google.com/compute/docs/reference/rest/v1/networks */
interface NetworkResource {
  readonly kind: 'compute#network';
  readonly id: string;
  readonly creationTimestamp: string;
  readonly name: string;
  readonly autoCreateSubnetworks: boolean;
  readonly routingConfig: { readonly routingMode: 'REGIONAL' };
  readonly selfLink: string;
}

interface Project {
  readonly networks: Map<string, NetworkResource>;
  readonly firewalls: Map<string, FirewallResource>;
}

/** The projects, their networks and rules. Changes are computed first, and stored when their operation is done. */
export interface Store {
  rules(project: string): FirewallResource[];
  /** Throws 404. */
  rule(project: string, name: string): FirewallResource;
  networks(project: string): NetworkResource[];
  /** Throws 404. */
  network(project: string, name: string): NetworkResource;
  /** Throws 404. */
  project(project: string): object;
  addNetwork(project: string, name: string): void;
  /** The rule as `fields` would make it. Throws `ApiError`. */
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
    const known = all.get(project);
    if (known) return known;
    const networks = new Map([['default', newNetwork(project, 'default')]]);
    const opened = { networks, firewalls: new Map<string, FirewallResource>() };
    all.set(project, opened);
    return opened;
  }

  function newNetwork(project: string, name: string): NetworkResource {
    return {
      kind: 'compute#network',
      id: newId(),
      creationTimestamp: timestamp(),
      name,
      autoCreateSubnetworks: true,
      routingConfig: { routingMode: 'REGIONAL' },
      selfLink: link(project, `global/networks/${name}`),
    };
  }

  function network(project: string, name: string): NetworkResource {
    const found = open(project).networks.get(name);
    if (!found) throw notFound(`projects/${project}/global/networks/${name}`);
    return found;
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
    return network(project, name).selfLink;
  }

  function rule(project: string, name: string): FirewallResource {
    const found = open(project).firewalls.get(name);
    if (!found) throw notFound(`projects/${project}/global/firewalls/${name}`);
    return found;
  }

  function changed(current: FirewallResource, project: string, fields: FirewallFields): FirewallResource {
    const { kind, id, creationTimestamp, selfLink } = current;
    const network = networkUrl(project, fields.network ?? current.network);
    const spec = complete({ ...fields, name: fields.name ?? current.name, network });
    // What can be changed, and what cannot: https://docs.cloud.google.com/firewall/docs/using-firewalls
    for (const field of ['name', 'network', 'direction'] as const)
      if (spec[field] !== current[field])
        throw invalidField(field, spec[field], `The ${field} of a firewall rule cannot be changed.`);
    return { kind, id, creationTimestamp, ...spec, selfLink };
  }

  return {
    rules: (project) => [...open(project).firewalls.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    rule,
    networks: (project) => [...open(project).networks.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    network,
    project(project) {
      open(project);
      return { kind: 'compute#project', name: project, selfLink: link(project, '') };
    },
    addNetwork: (project, name) => void open(project).networks.set(name, newNetwork(project, name)),
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
      // What is sent replaces what is there, the rest stays. An explicit `[]` clears: so `gcloud compute firewall-rules
      // update --source-ranges=` works, https://docs.cloud.google.com/sdk/gcloud/reference/compute/firewall-rules/update
      const logConfig = fields.logConfig && { ...current.logConfig, ...fields.logConfig };
      return changed(current, project, {
        ...fieldsSchema.parse(current),
        ...fields,
        ...(logConfig ? { logConfig } : {}),
      });
    },
    updated(project, name, fields) {
      // "All fields will be updated if using PUT, even fields that are not specified":
      // https://docs.cloud.google.com/compute/docs/reference/rest/v1/firewalls/update
      return changed(rule(project, name), project, fields);
    },
    put: (project, resource) => void open(project).firewalls.set(resource.name, resource),
    delete: (project, name) => void open(project).firewalls.delete(name),
  };
}
