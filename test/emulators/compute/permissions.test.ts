import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Compute, startCompute } from '../../../src/emulators/compute/index.ts';
import { clientsOf, refusalOf } from './client.ts';

const project = 'acme';
const rule = { name: 'new', allowed: [{ IPProtocol: 'tcp' }], sourceRanges: ['203.0.113.7/32'] };
const denied: string[] = [];
let compute: Compute;
let clients: ReturnType<typeof clientsOf>;

beforeAll(async () => {
  compute = await startCompute({ denied });
  clients = clientsOf(compute);
});
afterAll(() => compute.close());

const insert = () => clients.firewalls.insert({ project, firewallResource: rule });

test.each([
  ['compute.firewalls.list', 'projects/acme', () => clients.firewalls.list({ project })],
  ['compute.firewalls.create', 'projects/acme/global/firewalls/new', () => insert()],
  [
    'compute.firewalls.update',
    'projects/acme/global/firewalls/held',
    () => clients.firewalls.patch({ project, firewall: 'held', firewallResource: rule }),
  ],
  [
    'compute.firewalls.delete',
    'projects/acme/global/firewalls/held',
    () => clients.firewalls.delete({ project, firewall: 'held' }),
  ],
  ['compute.networks.updatePolicy', 'projects/acme/global/networks/default', () => insert()],
  [
    'compute.globalOperations.get',
    'projects/acme/global/operations/op',
    () => clients.operations.wait({ project, operation: 'op' }),
  ],
])('without %s a call is refused with 403 forbidden, naming it and %s', async (permission, object, call) => {
  denied.push(permission);
  try {
    expect(await refusalOf(call())).toEqual({
      status: 403,
      code: 403,
      message: `Required '${permission}' permission for '${object}'`,
      domain: 'global',
      reason: 'forbidden',
    });
  } finally {
    denied.length = 0;
  }
});
