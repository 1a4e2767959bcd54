/** What is kept secret: by the name of a variable or a header, and by its place in the config. */

const SECRET_NAME =
  /secret|token|passw|passphrase|webhook|credential|private|authorization|cookie|signature|api_?-?key|access_?-?key|[_-]key$/i;
/** Ids, and where a secret lies, are none themselves. */
const NO_SECRET_NAME = /[_-](id|ids|file|path|dir|name|uri|region|expiration|enabled)$/i;

/** Keys of the config under which everything that comes from the environment is secret. */
const SECRET_KEYS: ReadonlySet<PropertyKey> = new Set([
  'url',
  'webhookUrl',
  'secret',
  'headers',
  'externalId',
  'token',
  'password',
]);
/** What every channel shows of itself. */
const SHOWN_KEYS: ReadonlySet<PropertyKey> = new Set(['type', 'name']);

/** A shorter value that nobody declared a secret is an ordinary word, and blotting it out spoils every text. */
const LEAST_UNDECLARED = 8;
/** Shorter ones guard nothing. */
export const LEAST_SECRET = 4;

/** Whether a variable or a header of this name probably holds a secret. */
export function looksSecret(name: string): boolean {
  return SECRET_NAME.test(name) && !NO_SECRET_NAME.test(name);
}

/** Whether what comes from the environment into this place of the config is a secret. */
export function isSecretPlace(path: readonly PropertyKey[]): boolean {
  const [top, , key] = path;
  if (top === 'alerts') return !(path.length === 3 && key !== undefined && SHOWN_KEYS.has(key));
  return path.some((part) => SECRET_KEYS.has(part));
}

/** The secrets in the environment itself: values of variables whose name says so, and passwords of proxies. */
export function envSecrets(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(env).flatMap(([name, value = '']) => {
    if (/_proxy$/i.test(name)) return userOf(value);
    // A path is where a secret lies, as in GOOGLE_APPLICATION_CREDENTIALS.
    const isPath = /^[~.]?\//.test(value);
    return looksSecret(name) && !isPath && value.length >= LEAST_UNDECLARED ? [value] : [];
  });
}

/** The secrets of a channel: its addresses and its key, and the headers that are long or named like one. */
export function channelSecrets(channel: {
  readonly url?: string;
  readonly webhookUrl?: string;
  readonly secret?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}): string[] {
  const { url = '', webhookUrl = '', secret = '', headers = {} } = channel;
  const inHeaders = Object.entries(headers).flatMap(([name, value]) =>
    looksSecret(name) || value.length >= LEAST_UNDECLARED ? [value, ...value.split(/\s+/).slice(1)] : [],
  );
  return [url, webhookUrl, secret, ...inHeaders].filter((value) => value.length >= LEAST_SECRET);
}

/** What in a URL that is shown may be a secret: its query, whole and by its values, and its user. */
export function urlSecrets(text: string): string[] {
  if (!URL.canParse(text)) return [];
  const { search, searchParams } = new URL(text);
  const values = [search.slice(1), ...searchParams.values()];
  return [...values.filter((value) => value.length >= LEAST_UNDECLARED), ...userOf(text)];
}

function userOf(text: string): string[] {
  if (!URL.canParse(text)) return [];
  const { username, password } = new URL(text);
  if (!password) return username ? [decode(username)] : [];
  return [`${username}:${password}`, password, decode(password)].filter(
    (value) => value.length >= LEAST_SECRET,
  );
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
