import type { ParseResult } from './result.ts';
import type { SourceFormat } from './schema.ts';

/** Part of every cache key: raised whenever a parser reads a document differently than before. */
export const PARSER_VERSION = 1;

export interface ParseOptions {
  readonly format: SourceFormat;
  readonly pointer?: string | undefined;
  readonly heading?: string | undefined;
}

/** Reads one document with the parser of its format, which is loaded only now. */
export async function parseDocument(document: string, options: ParseOptions): Promise<ParseResult> {
  switch (options.format) {
    case 'text':
      return (await import('./text.ts')).parseText(document);
    case 'json':
      return (await import('./json.ts')).parseJson(document, options);
    case 'html':
      return (await import('./html.ts')).parseHtml(document, options);
    case 'markdown':
      return (await import('./markdown.ts')).parseMarkdown(document, options);
  }
}
