import {
  type Change,
  type Entry,
  type Identity,
  isOurs,
  type Opened,
  type Provider,
  type Service,
  type Snapshot,
} from '../../providers/provider.ts';
import type { Cidr } from '../../src/cidr.ts';
import { ConflictError, TransientError } from '../../src/errors.ts';

/** An address and what it may reach. */
export interface Wanted extends Service {
  readonly cidr: Cidr;
}

/** Equal for equal (CIDR, service). */
export function keyOf(entry: Service & { readonly cidr: string }): string {
  return `${entry.cidr} ${entry.protocol ?? '*'} ${entry.ports ?? '*'}`;
}

export function wantedOf(cidrs: readonly Cidr[], services: readonly Service[]): Wanted[] {
  return cidrs.flatMap((cidr) => services.map(({ protocol, ports }): Wanted => ({ cidr, protocol, ports })));
}

/** The smallest planner there is: what is wanted and nobody allows, what is ours and nobody wants, what differs. */
export function changesFor(wanted: readonly Wanted[], snapshot: Snapshot, identity: Identity): Change[] {
  const present = new Set(snapshot.entries.map(keyOf));
  const desired = new Set(wanted.map(keyOf));
  const ours = (entry: Entry) => isOurs(entry.marker, identity);
  return [
    ...wanted
      .filter((entry) => !present.has(keyOf(entry)))
      .map((entry): Change => ({ action: 'add', entry })),
    ...snapshot.settings
      .filter((setting) => setting.repair && setting.actual !== setting.desired)
      .map((setting): Change => ({ action: 'update', setting })),
    ...snapshot.entries
      .filter((entry) => ours(entry) && !desired.has(keyOf(entry)))
      .map((entry): Change => ({ action: 'remove', entry })),
  ];
}

/**
 * One pass as the core makes it: read, add, prove, remove; an atomic adapter gets one write. A lost race or an error
 * that may pass means: read again and write the difference again, at most ten times.
 */
export async function converge(
  opened: Opened,
  provider: Pick<Provider, 'atomic'>,
  identity: Identity,
  wanted: readonly Wanted[],
): Promise<void> {
  for (let round = 1; ; round += 1) {
    try {
      return await pass(opened, provider.atomic, identity, wanted);
    } catch (error) {
      if (round === 10 || !(error instanceof ConflictError || error instanceof TransientError)) throw error;
    }
  }
}

async function pass(
  opened: Opened,
  atomic: boolean,
  identity: Identity,
  wanted: readonly Wanted[],
): Promise<void> {
  const snapshot = await opened.read();
  const changes = changesFor(wanted, snapshot, identity);
  if (changes.length === 0) return;
  if (atomic) return opened.write(changes, snapshot);
  const removes = (change: Change) => change.action === 'remove';
  const first = changes.filter((change) => !removes(change));
  let proof = snapshot;
  if (first.length > 0) {
    await opened.write(first, snapshot);
    proof = await opened.read();
    const unproven = changesFor(wanted, proof, identity).filter((change) => !removes(change));
    if (unproven.length > 0) throw new ConflictError(`${unproven.length} changes are not there yet`);
  }
  const last = changesFor(wanted, proof, identity);
  if (last.length > 0) await opened.write(last, proof);
}
