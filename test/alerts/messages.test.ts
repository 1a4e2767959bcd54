import fc from 'fast-check';
import { expect, test } from 'vitest';
import { alertSchema } from '../../src/alerts/schema.ts';
import { slackMessage } from '../../src/alerts/slack.ts';
import { ALERT_TYPES, type Alert } from '../../src/alerts/types.ts';
import { sign, verifySignature, webhookDocument, webhookDocumentSchema } from '../../src/alerts/webhook.ts';

function alert(given: Partial<Alert> = {}): Alert {
  return {
    id: 'i1',
    type: 'drift.found',
    of: null,
    key: 'drift.found:orders-db',
    severity: 'warning',
    reason: 'began',
    title: 'orders-db does not hold what it should',
    lines: ['34.19.100.134/32 tcp 5432 was removed by hand'],
    action: 'It was put back. Ask who changed it.',
    since: 0,
    at: 0,
    fingerprint: 'f',
    lasting: true,
    ...given,
  };
}

function batch(...alerts: Alert[]) {
  return { owner: 'acme-prod', runId: 'r1', version: '0.1.0', alerts };
}

function textsOf(message: ReturnType<typeof slackMessage>): string[] {
  return message.blocks.flatMap((block) =>
    block.type === 'section' ? [block.text.text] : block.elements.map(({ text }) => text),
  );
}

test('a Slack message says what, where, why, what to do, and who speaks', () => {
  expect(slackMessage(batch(alert()))).toEqual({
    text: 'allowlist-sync acme-prod: orders-db does not hold what it should',
    blocks: [
      {
        type: 'section',
        text: {
          type: 'mrkdwn',
          verbatim: true,
          text: [
            ':large_yellow_circle: *orders-db does not hold what it should*',
            '• 34.19.100.134/32 tcp 5432 was removed by hand',
            '*What to do:* It was put back. Ask who changed it.',
          ].join('\n'),
        },
      },
      {
        type: 'context',
        elements: [{ type: 'mrkdwn', verbatim: true, text: 'allowlist-sync 0.1.0 · acme-prod · run r1' }],
      },
    ],
  });
});

test('text from outside cannot mention everybody, make a link, or hide', () => {
  const evil = '<!channel> <https://evil.example|click> & \u001b[2J \u202egnp.exe\u200b\nnew line';
  const message = slackMessage(batch(alert({ title: evil, lines: [evil], action: evil })));
  for (const text of [message.text, ...textsOf(message)]) {
    expect(text).not.toMatch(/[<>]|(?!\n)\p{Cc}|\p{Cf}/u);
    expect(text).not.toMatch(/&(?!amp;|lt;|gt;)/);
    expect(text).not.toMatch(/^new line/m);
  }
});

test('any number of alerts of any length stays inside the limits of Slack, and keeps the action', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.nat(6000).map((n) => '&'.repeat(n)),
    fc.constant('🔥'.repeat(3000)),
  );
  const some = fc.record({ title: text, lines: fc.array(text, { maxLength: 80 }), action: text }).map(alert);
  fc.assert(
    fc.property(fc.array(some, { minLength: 1, maxLength: 5 }), fc.nat(100), (alerts, more) => {
      const all = [...alerts, ...Array.from({ length: more }, () => alert())];
      const message = slackMessage(batch(...all));
      expect(message.blocks.length).toBeLessThanOrEqual(50);
      expect(message.text.length).toBeLessThanOrEqual(3000);
      for (const one of textsOf(message)) {
        expect(one.length).toBeLessThanOrEqual(3000);
        expect(one).not.toMatch(/&(?!amp;|lt;|gt;)/);
        expect(one).not.toMatch(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/);
      }
      for (const one of textsOf(message).slice(0, Math.min(all.length, 48)))
        expect(one).toContain('*What to do:*');
    }),
    { numRuns: 60 },
  );
});

test('of sixty alerts Slack shows forty-eight and says that there are twelve more', () => {
  const message = slackMessage(batch(...Array.from({ length: 60 }, () => alert())));
  expect(message.blocks).toHaveLength(50);
  expect(textsOf(message).at(-2)).toContain('12 more');
});

test('lines for which there is no room are counted', () => {
  const message = slackMessage(
    batch(alert({ lines: Array.from({ length: 500 }, (_, n) => `10.0.0.${n}/32`) })),
  );
  expect(textsOf(message)[0]).toMatch(/… and \d{3} more\n\*What to do:\*/);
});

test('the webhook document is what its schema says, for every type of alert', () => {
  for (const type of Object.keys(ALERT_TYPES) as (keyof typeof ALERT_TYPES)[]) {
    const document = webhookDocument(batch(alert({ type, lines: ['\u001b[2J'] })), 1000);
    expect(webhookDocumentSchema.parse(document)).toMatchObject({
      version: 1,
      tool: 'allowlist-sync/0.1.0',
      owner: 'acme-prod',
      runId: 'r1',
      sentAt: '1970-01-01T00:00:01.000Z',
      alerts: [{ type, lines: ['\\u{1b}[2J'], since: '1970-01-01T00:00:00.000Z' }],
    });
  }
});

test('a signature holds for its secret, body and time, and for nothing else', () => {
  const secret = 'a-secret-of-some-length';
  const header = sign(secret, '{"a":1}', 1_000_000);
  const good = { secret, header, body: '{"a":1}', now: 1_000_000 };
  expect(verifySignature(good)).toBe(true);
  expect(verifySignature({ ...good, body: Buffer.from('{"a":1}') })).toBe(true);
  expect(verifySignature({ ...good, now: 1_299_000 })).toBe(true);
  expect(verifySignature({ ...good, now: 1_301_000 })).toBe(false);
  expect(verifySignature({ ...good, now: 699_000 })).toBe(false);
  expect(verifySignature({ ...good, body: '{"a":2}' })).toBe(false);
  expect(verifySignature({ ...good, secret: 'another-secret-of-it' })).toBe(false);
  expect(verifySignature({ ...good, header: header.replace('t=1000', 't=1001') })).toBe(false);
  expect(verifySignature({ ...good, header: undefined })).toBe(false);
  expect(verifySignature({ ...good, header: `${header}0` })).toBe(false);
});

test.each([
  ['https', 'https://hooks.slack.com/services/T/B/x', true],
  ['http on loopback', 'http://127.0.0.1:8080/x', true],
  ['http on IPv6 loopback', 'http://[::1]/x', true],
  ['http elsewhere', 'http://hooks.slack.com/services/T/B/secret', false],
  ['http on a name that begins like loopback', 'http://127.0.0.1.example/secret', false],
  ['a password in it', 'https://user:secret@example.com/', false],
  ['another scheme', 'ftp://example.com/secret', false],
  ['no URL', 'hooks.slack.com/secret', false],
])('a webhook URL with %s: accepted or refused, and never quoted', (_, webhookUrl, accepted) => {
  const parsed = alertSchema.safeParse({ type: 'slack', webhookUrl });
  expect(parsed.success).toBe(accepted);
  expect(JSON.stringify(parsed.error?.issues ?? [])).not.toContain('secret');
});

test('headers that are ours, or that would break a request apart, are refused', () => {
  const withHeaders = (headers: Record<string, string>) =>
    alertSchema.safeParse({ type: 'webhook', url: 'https://example.com', headers }).success;
  expect(withHeaders({ Authorization: 'Bearer x' })).toBe(true);
  expect(withHeaders({ 'x-allowlist-sync-signature': 't=1' })).toBe(false);
  expect(withHeaders({ Host: 'other' })).toBe(false);
  expect(withHeaders({ 'X-A': 'a\r\nX-B: b' })).toBe(false);
  expect(withHeaders({ 'X A': 'a' })).toBe(false);
});
