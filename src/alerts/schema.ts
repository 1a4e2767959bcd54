import { z } from 'zod';

/** Header names that are ours to set, or that belong to the connection. */
const OWN_HEADERS = /^(content-type|content-length|host|connection|transfer-encoding|x-allowlist-sync-.*)$/i;

/** Problems are told without the value: a webhook's address is a secret. */
const webhookUrl = z
  .string()
  .refine(isDeliverable, 'must be an https URL (http only on loopback), without a user or password in it');

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}$/, 'must be letters, digits, spaces, `.`, `_` or `-`, at most 63')
  .optional()
  .describe('What reports and errors call this channel; else the host of its URL.');

const headers = z
  .record(
    z.string().regex(/^[A-Za-z0-9-]{1,100}$/, 'must be the name of an HTTP header'),
    z.string().regex(/^[\x20-\x7e]*$/, 'must be printable ASCII'),
  )
  .refine((given) => !Object.keys(given).some((key) => OWN_HEADERS.test(key)), {
    error:
      'must not set Content-Type, Content-Length, Host or X-Allowlist-Sync-…, which the tool sets itself',
  });

/** One channel under `alerts` in the config. */
export const alertSchema = z.discriminatedUnion('type', [
  z
    .strictObject({
      type: z
        .literal('slack')
        .describe('A Slack incoming webhook, or a service that takes the same messages.'),
      webhookUrl: webhookUrl.describe(
        'The URL that Slack gave. It is a secret: take it from an environment variable.',
      ),
      name,
    })
    .describe('Alerts as a Slack message.'),
  z
    .strictObject({
      type: z.literal('webhook').describe('A POST of one JSON document (schema/webhook.schema.json).'),
      url: webhookUrl.describe('Where to send it.'),
      secret: z
        .string()
        .min(16, 'must have at least 16 characters')
        .optional()
        .describe('Signs each document (HMAC-SHA256), at least 16 characters, from an environment variable.'),
      headers: headers.optional().describe('More headers, such as `Authorization`.'),
      name,
    })
    .describe('Alerts as JSON, for a program.'),
]);

export type ChannelConfig = z.output<typeof alertSchema>;

function isDeliverable(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  if (username !== '' || password !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(new URL(text)));
}

/** URL parsing has made every way to write such an address (`127.1`, `0x7f.1`) the same. */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}
