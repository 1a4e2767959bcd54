import { neutralise, truncate } from '../text.ts';
import type { Batch } from './channel.ts';
import type { Alert } from './types.ts';

/** https://docs.slack.dev/reference/block-kit/blocks/section-block : the longest text of one section. */
const MOST_TEXT = 3000;
/** https://docs.slack.dev/reference/block-kit/blocks : blocks in one message. One is ours, one says how many are left out. */
const MOST_BLOCKS = 50;
const MOST_TITLE = 300;
const MOST_LINE = 600;

const SIGNS = {
  error: ':red_circle:',
  warning: ':large_yellow_circle:',
  info: ':information_source:',
} as const;

interface Text {
  readonly type: 'mrkdwn';
  readonly text: string;
  /** Names of channels and people, and addresses, stay text. */
  readonly verbatim: true;
}

type SlackBlock =
  | { readonly type: 'section'; readonly text: Text }
  | { readonly type: 'context'; readonly elements: readonly Text[] };

export interface SlackMessage {
  /** What notifications show. */
  readonly text: string;
  readonly blocks: readonly SlackBlock[];
}

/**
 * All alerts of one run as one message for an incoming webhook, inside Slack's limits.
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
export function slackMessage({ owner, runId, version, alerts }: Batch): SlackMessage {
  const shown = alerts.length > MOST_BLOCKS - 1 ? alerts.slice(0, MOST_BLOCKS - 2) : alerts;
  const left = alerts.length - shown.length;
  const blocks: SlackBlock[] = shown.map((alert) => section(alertText(alert)));
  if (left > 0) blocks.push(section(`… and ${left} more: see \`allowlist-sync history\`.`));
  const origin = mrkdwn(
    `allowlist-sync ${escapeText(version)} · ${escapeText(owner)} · run ${escapeText(runId)}`,
  );
  blocks.push({ type: 'context', elements: [origin] });
  const titles = alerts.map(({ title }) => escapeText(neutralise(truncate(title, MOST_TITLE))));
  return {
    text: clip([`allowlist-sync ${escapeText(owner)}: ${titles[0] ?? ''}`, ...titles.slice(1)]),
    blocks,
  };
}

function alertText(alert: Alert): string {
  const sign = alert.type === 'recovered' ? ':white_check_mark:' : SIGNS[alert.severity];
  const again = alert.reason === 'repeated' ? ` (still, since ${new Date(alert.since).toISOString()})` : '';
  const title = `${sign} *${outside(alert.title, MOST_TITLE)}*${again}`;
  const action = `*What to do:* ${outside(alert.action, MOST_LINE)}`;
  const lines = alert.lines.map((line) => `• ${outside(line, MOST_LINE)}`);
  return clip([title, ...lines], action);
}

/** As many lines as there is room for, and `last` in any case. */
function clip(lines: readonly string[], last?: string): string {
  const room = MOST_TEXT - (last === undefined ? 0 : last.length + 1);
  for (let count = lines.length; count > 0; count -= 1) {
    const more = count === lines.length ? [] : [`… and ${lines.length - count} more`];
    const text = [...lines.slice(0, count), ...more].join('\n');
    if (text.length <= room) return last === undefined ? text : `${text}\n${last}`;
  }
  return last ?? '';
}

function outside(text: string, most: number): string {
  let length = most;
  let escaped = escapeText(neutralise(text));
  // Cut before escaping, never in the middle of an escape; what grows much by it is cut shorter.
  while (escaped.length > most && length > 0) {
    length -= Math.max(1, Math.ceil((escaped.length - most) / 8));
    escaped = escapeText(neutralise(truncate(text, length)));
  }
  return escaped;
}

/** The three characters that mean something to Slack. https://docs.slack.dev/messaging/formatting-message-text#escaping */
function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function section(text: string): SlackBlock {
  return { type: 'section', text: mrkdwn(text) };
}

function mrkdwn(text: string): Text {
  return { type: 'mrkdwn', text, verbatim: true };
}
