/** The egress addresses as they have been published since November 2024, in the order of the page. */
export const PUBLISHED: readonly string[] = [
  '35.230.127.150',
  '35.203.151.101',
  '34.19.100.134',
  '34.83.176.217',
  '35.230.58.211',
  '35.203.187.165',
  '35.185.209.55',
  '34.127.88.74',
  '34.127.0.121',
  '35.230.78.192',
  '35.247.110.67',
  '35.197.92.111',
  '34.168.247.159',
  '35.230.56.30',
  '34.127.33.101',
  '35.227.190.87',
  '35.199.156.97',
  '34.82.135.155',
];

/** The ranges of Google Cloud in Oregon that these addresses lie in, from https://www.gstatic.com/ipranges/cloud.json */
const OREGON: readonly string[] = [
  '34.19.0.0/17',
  '34.82.0.0/15',
  '34.127.0.0/17',
  '34.168.0.0/15',
  '35.185.192.0/18',
  '35.197.0.0/17',
  '35.199.144.0/20',
  '35.203.128.0/18',
  '35.227.128.0/18',
  '35.230.0.0/17',
  '35.247.0.0/17',
];

/** A document in the form of Google's cloud.json: Oregon, and one other region so that the scope matters. */
export function renderRanges(): string {
  const prefix = (scope: string) => (ipv4Prefix: string) => ({ ipv4Prefix, service: 'Google Cloud', scope });
  const prefixes = [...OREGON.map(prefix('us-west1')), prefix('europe-west6')('34.65.0.0/16')];
  return JSON.stringify({ syncToken: '1', creationTime: '2026-01-01T00:00:00', prefixes });
}

/**
 * The documentation page with these addresses, in the shape in which docs.streamlit.io renders it: an anchor before
 * the heading, a link and a drawing inside it, a note of its own, the list as elements without space between them,
 * another section after it, and everything a second time as data of a script.
 */
export function renderPage(addresses: readonly string[]): string {
  const list = addresses.map((address) => `<div style="width:150px">${address}</div>`).join('');
  const data = JSON.stringify({ props: { source: `## IP addresses\n\n${list}` } }).replaceAll('<', '\\u003c');
  return [
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"/><title>Status - Streamlit Docs</title></head>',
    '<body><div id="__next"><nav><a href="#ip-addresses">IP addresses</a></nav><article class="leaf-page">',
    '<h1>Status and limitations of Community Cloud</h1>',
    heading('python-environments', 'Python environments'),
    '<ul><li>If you pin <code>streamlit&lt; 1.20.0</code>, pin <code>altair&lt;5</code> too.</li></ul>',
    heading('ip-addresses', 'IP addresses'),
    '<p>Community Cloud is currently served from the following IP addresses:</p>',
    '<section class="callout_Container__TMaoi"><h4>Warning</h4>',
    '<p>These IP addresses may change at any time without notice.</p></section>',
    `<section class="flex_Container__9v7cR">${list}</section>`,
    heading('other-limitations', 'Other limitations'),
    '<ul><li>All apps are hosted in the United States.</li></ul>',
    `</article></div><script id="__NEXT_DATA__" type="application/json">${data}</script></body></html>`,
  ].join('\n');
}

function heading(id: string, text: string): string {
  const drawing =
    '<svg width="14" height="17" viewBox="0 0 14 17"><path d="M10.75 0.03C10.70 0.01 10.65 0"></path></svg>';
  return `<a name="${id}"></a><h2 class="group"><a href="#${id}"><span></span></a>${text}<div>${drawing}</div></h2>`;
}
