import type { CatalogueError } from '../errors.ts';
import { FatalError } from '../errors.ts';
import type { Due, Results } from './alert.ts';
import { type Batch, channelId, channelLabel, deliver } from './channel.ts';
import type { Delivery } from './http.ts';
import type { ChannelConfig } from './schema.ts';

export type { Delivery } from './http.ts';

/** How one channel took what it was due. */
export interface Delivered {
  /** The id in {@link Due}. */
  readonly channel: string;
  readonly label: string;
  /** Null when it took the message. */
  readonly error: CatalogueError | null;
}

/**
 * Sends every channel what it is due, all at the same time, one message each. Never throws: a channel that fails
 * stops neither the others nor the run.
 */
export async function deliverAll(
  due: readonly Due[],
  channels: readonly ChannelConfig[],
  origin: Omit<Batch, 'alerts'>,
  delivery: Delivery,
): Promise<Delivered[]> {
  const byId = new Map(channels.map((channel) => [channelId(channel), channel]));
  const sent = due.map(async ({ channel: id, alerts }): Promise<Delivered | undefined> => {
    const channel = byId.get(id);
    if (!channel) return undefined;
    const label = channelLabel(channel);
    try {
      await deliver(channel, { ...origin, alerts }, delivery);
      return { channel: id, label, error: null };
    } catch (error) {
      const known = error instanceof FatalError ? error : new FatalError('channel-failed', label);
      return { channel: id, label, error: known };
    }
  });
  return (await Promise.all(sent)).filter((one) => one !== undefined);
}

/** As {@link afterDelivery} wants them. */
export function resultsOf(delivered: readonly Delivered[]): Results {
  return new Map(delivered.map(({ channel, error }) => [channel, error === null]));
}
