import { BlockList, isIP } from 'node:net';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** A URL, or undefined where `text` is none. */
export function parseUrl(text: string, base?: URL): URL | undefined {
  return URL.canParse(text, base?.href) ? new URL(text, base) : undefined;
}

/** The host of a URL as a resolver or a socket takes it: IPv6 without its brackets. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

/** Whether a host is written as loopback: 127.0.0.0/8 and ::1 (RFC 6890), or `localhost` (RFC 6761 section 6.3). */
export function isLoopbackHost(host: string): boolean {
  if (host === 'localhost') return true;
  const family = isIP(host);
  return family !== 0 && LOOPBACK.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/** Why a URL may not be fetched, as the end of the sentence "it …", or undefined when it may. */
export function urlProblem(text: string): string | undefined {
  const url = parseUrl(text);
  if (!url) return 'must be a whole URL, such as https://example.org/addresses.txt';
  if (url.username || url.password) return 'must not hold a user name or a password';
  if (url.protocol === 'https:') return undefined;
  if (url.protocol !== 'http:') return `must start with https://, not ${url.protocol}`;
  if (isLoopbackHost(hostOf(url))) return undefined;
  return 'must start with https://; plain http is accepted for loopback only';
}

/** A URL as it may be shown: what stands in its query or before an @ may be a secret. */
export function shownUrl(text: string): string {
  const url = parseUrl(text);
  if (!url) return '(no URL)';
  const query = url.search ? '?…' : '';
  return `${url.protocol}//${url.host}${url.pathname}${query}`;
}
