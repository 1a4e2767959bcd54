import { createHash } from 'node:crypto';
import { z } from 'zod';
import {
  type Alert,
  type AlertType,
  alertRecordSchema,
  alertTypeSchema,
  type Condition,
  SEVERITIES,
} from './types.ts';

/** Of a channel that has failed for months only the newest are kept. */
const MOST_PENDING = 200;

const toldSchema = z.object({
  type: alertTypeSchema,
  title: z.string(),
  fingerprint: z.string(),
  /** When it began, and when this channel was last told. */
  since: z.number(),
  at: z.number(),
});

const channelMemorySchema = z.object({
  /** Lasting conditions that this channel was told of and has not been told the end of, by key. */
  told: z.record(z.string(), toldSchema),
  /** What could not be delivered and would otherwise be forgotten. */
  pending: z.array(alertRecordSchema),
});

/** What each channel was told, by the channel's id. Channels are apart: one that fails repeats nothing on the others. */
export const alertMemorySchema = z.record(z.string(), channelMemorySchema);

export type AlertMemory = z.output<typeof alertMemorySchema>;
type ChannelMemory = z.output<typeof channelMemorySchema>;

/** What one channel is to be sent in this run, in one message. */
export interface Due {
  readonly channel: string;
  readonly alerts: readonly Alert[];
}

export interface Situation {
  readonly conditions: readonly Condition[];
  /**
   * Whether this run looked at what the key is about. A run of one target, or one that ended early, says nothing of
   * the others: what was told of them is neither repeated nor over.
   */
  readonly observed: (key: string) => boolean;
  readonly memory: AlertMemory;
  /** Ids of the channels of the config. */
  readonly channels: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly repeatAfterMs: number;
}

/**
 * What is to be sent where. A lasting condition is told when it begins, when its fingerprint changes, again when
 * `repeatAfterMs` have passed while it lasts, and once when it is over, if its beginning was delivered. An event is
 * told once. What failed to be delivered is due again. Channels with nothing to tell are left out. Pure.
 */
export function decideAlerts(situation: Situation): Due[] {
  return [...new Set(situation.channels)]
    .map((channel) => ({
      channel,
      alerts: worstFirst(decide(situation, memoryOf(situation.memory, channel))),
    }))
    .filter(({ alerts }) => alerts.length > 0);
}

function decide({ conditions, observed, now, repeatAfterMs }: Situation, memory: ChannelMemory): Alert[] {
  const lasting = new Map(conditions.filter((one) => one.lasting).map((one) => [one.key, one]));
  const waiting = memory.pending.filter(({ key, lasting: lasts }) => lasts && lasting.has(key));
  const due: Alert[] = memory.pending
    .filter((alert) => !waiting.includes(alert))
    .map((alert) => (alert.lasting && observed(alert.key) ? ended(alert, now) : alert));

  for (const condition of conditions) {
    if (!condition.lasting) due.push(alertOf(condition, 'event', now, now));
  }
  for (const condition of lasting.values()) {
    const told = memory.told[condition.key];
    const since = told?.since ?? waiting.find(({ key }) => key === condition.key)?.since ?? now;
    if (!told) due.push(alertOf(condition, 'began', since, now));
    else if (told.fingerprint !== condition.fingerprint) due.push(alertOf(condition, 'changed', since, now));
    else if (now - told.at >= repeatAfterMs) due.push(alertOf(condition, 'repeated', since, now, told.at));
  }
  for (const [key, told] of Object.entries(memory.told)) {
    if (!lasting.has(key) && observed(key)) due.push(recovered(key, told, now));
  }
  return due;
}

/** Whether each channel took what it was due, by the channel's id. */
export type Results = ReadonlyMap<string, boolean>;

/** The memory after a delivery: what was delivered is told, what was not is due again. Pure. */
export function afterDelivery(
  situation: Pick<Situation, 'memory' | 'channels' | 'now'>,
  due: readonly Due[],
  results: Results,
): AlertMemory {
  const { memory, channels, now } = situation;
  return Object.fromEntries(
    [...new Set(channels)].map((channel) => {
      const alerts = due.find((one) => one.channel === channel)?.alerts ?? [];
      const delivered = results.get(channel) === true;
      return [channel, remember(memoryOf(memory, channel), alerts, delivered, now)];
    }),
  );
}

function remember(
  memory: ChannelMemory,
  alerts: readonly Alert[],
  delivered: boolean,
  now: number,
): ChannelMemory {
  // A time in the future, from a clock that was wrong, would silence a repeat until then.
  const told = new Map(
    Object.entries(memory.told).map(([key, one]) => [key, { ...one, at: Math.min(one.at, now) }]),
  );
  if (!delivered) {
    const kept = alerts.filter(
      ({ reason }) => reason === 'event' || reason === 'began' || reason === 'ended',
    );
    return { told: Object.fromEntries(told), pending: kept.slice(-MOST_PENDING) };
  }
  for (const { key, reason, lasting, type, title, fingerprint, since } of alerts) {
    if (reason === 'recovered') told.delete(key);
    else if (lasting) told.set(key, { type, title, fingerprint, since, at: now });
  }
  return { told: Object.fromEntries(told), pending: [] };
}

/** What the report says: each alert once, delivered when every channel that was due it took it. */
export function outcomes(
  due: readonly Due[],
  results: Results,
): { type: AlertType; severity: Alert['severity']; delivered: boolean }[] {
  const byKey = new Map<string, { type: AlertType; severity: Alert['severity']; delivered: boolean }>();
  for (const { channel, alerts } of due) {
    const taken = results.get(channel) === true;
    for (const { type, key, severity, fingerprint } of alerts) {
      const name = JSON.stringify([type, key, fingerprint]);
      byKey.set(name, { type, severity, delivered: taken && (byKey.get(name)?.delivered ?? true) });
    }
  }
  return [...byKey.values()];
}

function memoryOf(memory: AlertMemory, channel: string): ChannelMemory {
  return memory[channel] ?? { told: {}, pending: [] };
}

function alertOf(
  condition: Condition,
  reason: Alert['reason'],
  since: number,
  now: number,
  occasion = since,
): Alert {
  const { key, type, severity, title, lines, action, fingerprint, lasting } = condition;
  const id = idOf(key, reason, fingerprint, occasion);
  return {
    id,
    type,
    of: null,
    key,
    severity,
    reason,
    title,
    lines: [...lines],
    action,
    since,
    at: now,
    fingerprint,
    lasting,
  };
}

function recovered(key: string, told: ChannelMemory['told'][string], now: number): Alert {
  const { type, title, fingerprint, since } = told;
  return {
    id: idOf(key, 'recovered', fingerprint, since),
    type: 'recovered',
    of: type,
    key,
    severity: 'info',
    reason: 'recovered',
    title: `Recovered: ${title}`,
    lines: [`It lasted from ${time(since)} to ${time(now)}.`],
    action: 'Nothing to do.',
    since,
    at: now,
    fingerprint,
    lasting: true,
  };
}

/** From here on it is like an event: due until it is delivered. */
function ended(alert: Alert, now: number): Alert {
  return {
    ...alert,
    reason: 'ended',
    lasting: false,
    lines: [...alert.lines, `It was over by ${time(now)}, before this could be delivered.`],
    action: 'Nothing to do now: it is over.',
  };
}

function worstFirst(alerts: readonly Alert[]): Alert[] {
  return [...alerts].sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}

function idOf(...parts: readonly (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 24);
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
