/**
 * Text from outside, made harmless for terminals, logs and messages: what could move the cursor, hide or reorder
 * text stands there as `\u{1b}`. One line stays one line; `keepLines` lets line feeds through.
 */
export function neutralise(text: string, options: { keepLines?: boolean } = {}): string {
  // Control characters, invisible format characters (zero-width, bidirectional overrides), lone surrogates. Written
  // here, since the tables behind them cost some milliseconds, and most runs need none.
  const unsafe = options.keepLines
    ? /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu
    : /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
  return text.replace(unsafe, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** At most `length` characters (UTF-16 units), never half a surrogate pair; what was cut ends with `…`. */
export function truncate(text: string, length: number): string {
  if (text.length <= length) return text;
  const cut = text.slice(0, Math.max(0, length - 1));
  return `${cut.replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** Shorter values would blot out ordinary text, and guard nothing. */
const LEAST_SECRET = 4;

/**
 * A function that replaces every occurrence of a secret value by `***`: as it is, URL-encoded, form-encoded, as
 * inside JSON; of a URL also its path and query and its password alone. Values under four characters are left.
 */
export function redactor(secrets: Iterable<string>): (text: string) => string {
  const forms = new Set([...secrets].flatMap(formsOf).filter((form) => form.length >= LEAST_SECRET));
  if (forms.size === 0) return (text) => text;
  // The longest first, so that one secret inside another leaves nothing of the longer one.
  const sorted = [...forms].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(
    sorted.map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'),
    'g',
  );
  return (text) => text.replace(pattern, '***');
}

/** The same JSON value with every text in it, and the names of its keys if `keys`, as `change` leaves it. */
export function mapTexts(
  value: unknown,
  change: (text: string) => string,
  { keys = false }: { keys?: boolean } = {},
): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change, { keys }));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(
    ([key, inner]) => [keys ? change(key) : key, mapTexts(inner, change, { keys })] as const,
  );
  return Object.fromEntries(entries);
}

function formsOf(secret: string): string[] {
  const values = [secret];
  if (/^https?:/i.test(secret) && URL.canParse(secret)) {
    const { href, pathname, search, hash, password } = new URL(secret);
    const path = pathname + search + hash;
    values.push(href, decoded(password), ...(path.length >= 2 * LEAST_SECRET ? [path, path.slice(1)] : []));
  }
  return values.flatMap((value) => {
    const wellFormed = Buffer.from(value).toString();
    const encoded = [
      encodeURIComponent(wellFormed),
      encodeURI(wellFormed),
      new URLSearchParams({ '': wellFormed }).toString().slice(1),
    ];
    const lowerCase = encoded.map((text) => text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()));
    return [value, JSON.stringify(value).slice(1, -1), ...encoded, ...lowerCase];
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
