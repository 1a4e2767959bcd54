import { neutralise, truncate } from '../text.ts';

/** What Node, undici and zlib call the ways in which a connection fails, in words. */
const TEXTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  ERR_STREAM_PREMATURE_CLOSE: 'the connection was cut',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the body was cut',
  Z_BUF_ERROR: 'the compressed body was cut',
  Z_DATA_ERROR: 'the compressed body is damaged',
  ENOTFOUND: 'the host name does not resolve',
  EAI_AGAIN: 'the host name could not be resolved now',
  ETIMEDOUT: 'no answer',
  UND_ERR_CONNECT_TIMEOUT: 'no answer',
  UND_ERR_ABORTED: 'the proxy did not let it through',
  UND_ERR_HEADERS_OVERFLOW: 'its headers are too large',
  UND_ERR_PRX_TLS: 'the TLS of the proxy failed',
};

/** A failure of the network in words and with its code; its own message only where there is no code. */
export function failureText(failure: unknown): string {
  const code = codeOf(failure);
  if (code?.startsWith('HPE_')) return `the answer is no HTTP (${code})`;
  if (isPermanent(failure)) return `its certificate is not trusted (${code})`;
  if (code) return `${TEXTS[code] ?? 'the connection failed'} (${code})`;
  return failure instanceof Error ? truncate(neutralise(failure.message), 120) : 'the connection failed';
}

/** Failures that the next second will not mend: a certificate that is not trusted. */
export function isPermanent(failure: unknown): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(codeOf(failure) ?? '');
}

function codeOf(failure: unknown): string | undefined {
  if (!(failure instanceof Error)) return undefined;
  if ('code' in failure && typeof failure.code === 'string' && /^\w{1,60}$/.test(failure.code))
    return failure.code;
  return codeOf(failure.cause);
}
