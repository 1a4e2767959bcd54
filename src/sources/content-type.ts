import type { SourceFormat } from './schema.ts';

/** `text/plain` stands in for what plain file servers (raw.githubusercontent.com) have no better type for. */
const TYPES: Readonly<Record<SourceFormat, RegExp>> = {
  text: /^text\/plain$/,
  json: /^(?:application\/json|text\/json|text\/plain|application\/[\w.-]+\+json)$/,
  html: /^(?:text\/html|application\/xhtml\+xml)$/,
  markdown: /^(?:text\/(?:plain|markdown|x-markdown|mdx))$/,
};

const ACCEPT: Readonly<Record<SourceFormat, string>> = {
  text: 'text/plain',
  json: 'application/json, text/plain;q=0.5',
  html: 'text/html',
  markdown: 'text/markdown, text/plain;q=0.9',
};

/** Whether a Content-Type fits. None at all fits: nothing says that it is something else. */
export function isOfFormat(format: SourceFormat, contentType: string | null): boolean {
  const type = contentType?.split(';')[0]?.trim().toLowerCase();
  return !type || TYPES[format].test(type);
}

export function acceptOf(format: SourceFormat): string {
  return ACCEPT[format];
}
