import { createHash } from 'node:crypto';
import {
  SIGNATURE_HEADER,
  verifySignature,
  type WebhookDocument,
  webhookDocumentSchema,
} from '../alerts/webhook.ts';
import {
  type Emulator,
  type EmulatorRequest,
  type EmulatorResponse,
  startEmulator,
} from '../emulators/server.ts';
import { PUBLISHED, renderPage, renderRanges } from './page.ts';

const PAGE = '/deploy/streamlit-community-cloud/status';
const RANGES = '/ipranges/cloud.json';
const HOOK = '/hook';

/** What the log of requests calls them. */
const NAMES: Readonly<Record<string, string>> = { [PAGE]: 'page', [RANGES]: 'ranges', [HOOK]: 'hook' };

/** The part of the web that the demo needs: the documentation page, Google's ranges, and who receives the alerts. */
export interface Site extends Emulator {
  readonly pageUrl: string;
  readonly rangesUrl: string;
  readonly hookUrl: string;
  /** The documents received, oldest first; only those whose signature was good. */
  readonly received: readonly WebhookDocument[];
  /** Replaces the page. */
  publish(document: string): void;
}

export interface SiteOptions {
  /** What the alerts are signed with. */
  readonly secret: string;
  /** Milliseconds since the epoch: signatures are good for minutes. */
  readonly now: () => number;
}

/** Serves the three on loopback. At first the page has the addresses that are really published. */
export async function startSite({ secret, now }: SiteOptions): Promise<Site> {
  let page = renderPage(PUBLISHED);
  const received: WebhookDocument[] = [];

  function receive({ headers, body }: EmulatorRequest): EmulatorResponse {
    const header = [headers[SIGNATURE_HEADER.toLowerCase()]].flat()[0];
    if (!verifySignature({ secret, header, body, now: now() })) return plain(401, 'bad signature');
    received.push(webhookDocumentSchema.parse(JSON.parse(body)));
    return plain(200, 'ok');
  }

  const emulator = await startEmulator({
    describe: ({ url }) => ({ operation: NAMES[url] ?? 'unknown', writes: false }),
    handle(request) {
      if (request.method === 'POST' && request.url === HOOK) return receive(request);
      if (request.method !== 'GET') return plain(405, 'not allowed');
      if (request.url === PAGE) return document(request, 'text/html; charset=utf-8', page);
      if (request.url === RANGES) return document(request, 'application/json', renderRanges());
      return plain(404, 'not here');
    },
    refuse: () => plain(503, 'not now'),
  });
  return {
    ...emulator,
    pageUrl: emulator.url + PAGE,
    rangesUrl: emulator.url + RANGES,
    hookUrl: emulator.url + HOOK,
    received,
    publish: (document) => {
      page = document;
    },
  };
}

/** With an ETag and conditional requests, as the real hosts have them. */
function document({ headers }: EmulatorRequest, type: string, body: string): EmulatorResponse {
  const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 16)}"`;
  if (headers['if-none-match'] === etag) return { status: 304, headers: { etag }, body: '' };
  return { status: 200, headers: { 'content-type': type, etag }, body };
}

function plain(status: number, body: string): EmulatorResponse {
  return { status, headers: { 'content-type': 'text/plain' }, body };
}
