/**
 * The page's own history. The addresses, their order and the dates are those of https://github.com/streamlit/docs
 * (commits 29096c75, bbc15782, 7742150b, d1b70500); the words around them are not.
 */
import { onTestFinished } from 'vitest';
import { type EmulatorResponse, startEmulator } from '../../src/emulators/server.ts';
import { type Watched, watchedPlace } from './replay.ts';

const FOUR = ['34.127.33.101', '35.230.127.150', '34.127.0.121', '35.230.58.211'];
const SIX = [...FOUR, '34.127.88.74', '35.230.56.30'];
export const EIGHTEEN: readonly string[] = [
  ...[
    '35.230.127.150',
    '35.203.151.101',
    '34.19.100.134',
    '34.83.176.217',
    '35.230.58.211',
    '35.203.187.165',
  ],
  ...['35.185.209.55', '34.127.88.74', '34.127.0.121', '35.230.78.192', '35.247.110.67', '35.197.92.111'],
  ...['34.168.247.159', '35.230.56.30', '34.127.33.101', '35.227.190.87', '35.199.156.97', '34.82.135.155'],
];

/** What a page said from a day on; null: it redirects to another one, and its Markdown is gone. */
export interface Edition {
  readonly date: string;
  readonly addresses: readonly string[] | null;
}

export const HISTORY: readonly Edition[] = [
  { date: '2021-10-23', addresses: FOUR },
  { date: '2021-11-02', addresses: SIX },
  { date: '2023-03-17', addresses: null },
  { date: '2024-11-29', addresses: EIGHTEEN },
];

/** Prefixes of us-west1 at Google, and one of another region. */
const RANGES = {
  syncToken: '1',
  creationTime: '2024-11-29T00:00:00.0',
  prefixes: [
    ...['34.19.0.0/17', '34.82.0.0/15', '34.127.0.0/17', '34.168.0.0/15', '35.185.192.0/18', '35.197.0.0/17'],
    ...['35.199.144.0/20', '35.203.128.0/18', '35.227.128.0/18', '35.230.0.0/17', '35.247.0.0/17'],
  ]
    .map((ipv4Prefix) => ({ ipv4Prefix, service: 'Google Cloud', scope: 'us-west1' }))
    .concat({ ipv4Prefix: '34.34.0.0/17', service: 'Google Cloud', scope: 'europe-west1' }),
};

const html = (title: string, body: string) =>
  `<!DOCTYPE html><html lang="en"><head><title>${title}</title></head><body><main><h1>${title}</h1>${body}</main></body></html>`;

/** Until 2023: bold items in a list, a number in words that lagged behind, and the load balancer in a note. */
const oldHtml = (list: readonly string[]) =>
  html(
    'Data sources',
    `<h2>Allowlisting Streamlit's outbound IP addresses</h2><p>All apps use these four addresses:</p><ul>${list
      .map((one) => `<li><strong>${one}</strong></li>`)
      .join(
        '',
      )}</ul><div class="note_x"><p>Answers come from <code>35.201.127.49</code>.</p></div><h2>Next</h2><p>x</p>`,
  );
const oldMarkdown = (list: readonly string[]) =>
  `# Data sources\n\n## Allowlisting Streamlit's outbound IP addresses\n\nAll apps use these four addresses:\n\n${list
    .map((one) => `- **${one}**`)
    .join('\n')}\n\n<Note>\n\nAnswers come from \`35.201.127.49\`.\n\n</Note>\n\n## Next\n\nText.\n`;
const newHtml = (list: readonly string[]) =>
  html(
    'Status',
    `<a name="ip-addresses"></a><h2>IP addresses</h2><p>Served from:</p><section class="callout_C__x"><h4>Warning</h4><p>May change.</p></section><section class="flex_C__x">${list
      .map((one) => `<div style="width:150px">${one}</div>`)
      .join('')}</section><h2>Other limitations</h2><p>x</p>`,
  );
const newMarkdown = (list: readonly string[]) =>
  `# Status\n\n## IP addresses\n\nServed from:\n\n<Flex wrap >\n${list
    .map((one) => `    <div style={{ width: "150px" }}>${one}</div>`)
    .join('\n')}\n</Flex>\n\n## Other limitations\n\nText.\n`;

interface Site {
  readonly url: string;
  /** What both pages say from now on. */
  show(edition: Edition): void;
  /** What the Markdown alone says from now on. */
  showMarkdown(edition: Edition): void;
  /** Whether Google's ranges can be had. */
  ranges: boolean;
}

/** A site with the page, its Markdown, a page without addresses, and Google's ranges. */
async function startSite(): Promise<Site> {
  const pages = new Map<string, EmulatorResponse>();
  const page = (body: string, type: string): EmulatorResponse => ({
    status: 200,
    headers: { 'content-type': `${type}; charset=utf-8` },
    body,
  });
  const missing: EmulatorResponse = {
    status: 404,
    headers: { 'content-type': 'text/html' },
    body: 'Not found',
  };
  const server = await startEmulator({
    describe: ({ method, url }) => ({ operation: `${method} ${url}`, writes: false }),
    handle: ({ url }) => (url === '/cloud.json' && !site.ranges ? missing : (pages.get(url) ?? missing)),
    refuse: () => ({ status: 503, body: '' }),
  });
  onTestFinished(() => server.close());
  pages.set('/deploy', page(html('Deploy', '<h2>Apps</h2><p>No addresses.</p>'), 'text/html'));
  pages.set('/cloud.json', page(JSON.stringify(RANGES), 'application/json'));
  const markdownOf = ({ date, addresses }: Edition) =>
    (date < '2024' ? oldMarkdown : newMarkdown)(addresses ?? []);
  const site: Site = {
    url: server.url,
    ranges: true,
    show: (edition) => {
      const { date, addresses } = edition;
      if (addresses === null) {
        pages.set('/status', { status: 308, headers: { location: '/deploy' }, body: '' });
        pages.delete('/status.md');
        return;
      }
      pages.set('/status', page((date < '2024' ? oldHtml : newHtml)(addresses), 'text/html'));
      site.showMarkdown(edition);
    },
    showMarkdown: (edition) => void pages.set('/status.md', page(markdownOf(edition), 'text/plain')),
  };
  return site;
}

export interface PageWatch extends Watched {
  readonly site: Site;
}

/** Targets on both clouds and a file, fed by the page and its Markdown with every guard at its default. */
export async function watchPage(): Promise<PageWatch> {
  const site = await startSite();
  const watched = await watchedPlace({
    clouds: ['aws', 'gcp'],
    start: Date.parse(HISTORY[0]?.date ?? ''),
    config: {
      sources: [
        { type: 'streamlit-docs', url: `${site.url}/status` },
        { type: 'streamlit-github', url: `${site.url}/status.md` },
      ],
      safety: { provenance: { url: `${site.url}/cloud.json` } },
    },
  });
  return { ...watched, site };
}

export const asCidrs = (addresses: readonly string[]) => addresses.map((address) => `${address}/32`);
