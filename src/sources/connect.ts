import type { LookupAddress, LookupOptions } from 'node:dns';
import { lookup as systemLookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Dispatcher } from 'undici';
import { parseCidr, specialRange } from '../cidr.ts';
import { FatalError } from '../errors.ts';
import { hostOf, isLoopbackHost, shownUrl } from './address.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** All addresses of a host name. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

export const systemResolve: Resolve = (host) => systemLookup(host, { all: true });

/**
 * Where requests to `url` go out: through the proxy that the environment names (`HTTPS_PROXY`, `HTTP_PROXY`,
 * `NO_PROXY`), else directly, and then only to public addresses. Close it after use.
 *
 * Throws `source-refused` when the host of `url` is itself a private or special address. Names are checked as they
 * are resolved for the connection, so that no second answer can slip in between; behind a proxy, which resolves
 * names itself, only such literal addresses are checked. A URL on loopback may reach loopback and nothing else.
 */
export async function openDispatcher(url: URL, env: Env, resolve: Resolve): Promise<Dispatcher> {
  const host = hostOf(url);
  const allowed = isLoopbackHost(host) ? isLoopbackHost : isPublic;
  if (isIP(host) && !allowed(host)) throw refused(url);
  const { Agent, EnvHttpProxyAgent } = await import('undici');
  const options = { connect: { lookup: guardedLookup(url, resolve, allowed) } };
  const proxies = {
    httpProxy: env.http_proxy ?? env.HTTP_PROXY ?? '',
    httpsProxy: env.https_proxy ?? env.HTTPS_PROXY ?? '',
    noProxy: env.no_proxy ?? env.NO_PROXY ?? '',
  };
  if (!proxies.httpProxy && !proxies.httpsProxy) return new Agent(options);
  try {
    // Plain http goes to a proxy as a plain request, as every other client sends it, not through a tunnel.
    return new EnvHttpProxyAgent({ ...options, ...proxies, proxyTunnel: false });
  } catch {
    // The proxy's URL may hold a password, and the message of this error quotes it.
    throw new FatalError('source-refused', 'HTTP_PROXY or HTTPS_PROXY is no URL of a proxy', {
      hint: 'Correct the variable; a proxy looks like http://proxy.example.org:3128.',
    });
  }
}

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/** As `dns.lookup`, but it gives only the addresses that may be connected to. */
function guardedLookup(url: URL, resolve: Resolve, allowed: (address: string) => boolean) {
  return (host: string, options: LookupOptions, done: LookupCallback): void => {
    resolve(host)
      .then((addresses) => {
        const usable = addresses.filter(({ address }) => allowed(address));
        const [first] = usable;
        if (!first) throw refused(url);
        if (options.all) done(null, usable);
        else done(null, first.address, first.family);
      })
      .catch((error: Error) => done(error, []));
  };
}

function isPublic(address: string): boolean {
  const parsed = parseCidr(address);
  return parsed.ok && specialRange(parsed.cidr) === undefined;
}

function refused(url: URL): FatalError {
  return new FatalError('source-refused', `${shownUrl(url.href)} is at no public address`);
}
