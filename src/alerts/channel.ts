import { createHash } from 'node:crypto';
import { FatalError, messageOf } from '../errors.ts';
import { channelSecrets } from '../secrets.ts';
import { redactor } from '../text.ts';
import { type Delivery, type Message, post } from './http.ts';
import type { ChannelConfig } from './schema.ts';
import { slackMessage } from './slack.ts';
import type { Alert } from './types.ts';
import { SIGNATURE_HEADER, sign, webhookDocument } from './webhook.ts';

/** What one message tells: the alerts of one run, and who speaks. */
export interface Batch {
  readonly owner: string;
  readonly runId: string;
  /** The version of this tool. */
  readonly version: string;
  readonly alerts: readonly Alert[];
}

/**
 * The name under which the state remembers a channel. It changes with the URL, since another receiver has been told
 * nothing; of the URL it holds eight digits of a checksum, no more.
 */
export function channelId(channel: ChannelConfig): string {
  const sum = createHash('sha256').update(urlOf(channel)).digest('hex').slice(0, 8);
  return `${channel.type}:${channel.name ?? new URL(urlOf(channel)).host}:${sum}`;
}

/** What reports and errors call it: `slack «ops»`, or `slack at hooks.slack.com`. */
export function channelLabel(channel: ChannelConfig): string {
  return `${channel.type} ${channel.name ? `«${channel.name}»` : `at ${new URL(urlOf(channel)).host}`}`;
}

/** Sends one batch as one message. Throws `channel-failed`; the message names the channel and no secret. */
export async function deliver(channel: ChannelConfig, batch: Batch, delivery: Delivery): Promise<void> {
  try {
    const redact = redactor(channelSecrets(channel));
    await post(urlOf(channel), () => messageFor(channel, batch, delivery.clock.now()), { delivery, redact });
  } catch (error) {
    throw new FatalError('channel-failed', `${channelLabel(channel)}: ${messageOf(error)}`);
  }
}

function messageFor(channel: ChannelConfig, batch: Batch, now: number): Message {
  const common = { 'content-type': 'application/json', 'user-agent': `allowlist-sync/${batch.version}` };
  if (channel.type === 'slack') return { headers: common, body: JSON.stringify(slackMessage(batch)) };
  const body = JSON.stringify(webhookDocument(batch, now));
  const signature = channel.secret ? { [SIGNATURE_HEADER]: sign(channel.secret, body, now) } : {};
  return { headers: { ...channel.headers, ...common, ...signature }, body };
}

function urlOf(channel: ChannelConfig): string {
  return channel.type === 'slack' ? channel.webhookUrl : channel.url;
}
