import { z } from 'zod';
import { urlProblem } from './address.ts';

/** https://docs.streamlit.io/deploy/streamlit-community-cloud/status#ip-addresses */
export const STREAMLIT_DOCS_URL = 'https://docs.streamlit.io/deploy/streamlit-community-cloud/status';

/** https://github.com/streamlit/docs/blob/main/content/deploy/community-cloud/status-and-limitations.md */
export const STREAMLIT_GITHUB_URL =
  'https://raw.githubusercontent.com/streamlit/docs/main/content/deploy/community-cloud/status-and-limitations.md';

/** The heading of today's page, and the one that the page had until 2023. A page with both is refused. */
export const STREAMLIT_HEADINGS: readonly string[] = [
  'IP addresses',
  "Allowlisting Streamlit's outbound IP addresses",
];

const FORMATS = ['text', 'json', 'html', 'markdown'] as const;

/** How a document is written. */
export type SourceFormat = (typeof FORMATS)[number];

const httpsUrl = z.string().superRefine((text, context) => {
  const problem = urlProblem(text);
  if (problem) context.addIssue({ code: 'custom', message: problem });
});

const urlKey = (what: string) =>
  httpsUrl.describe(
    `${what}. https only; plain http is accepted for loopback, where it is also the permission.`,
  );

const headingKey = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .describe(
    'The text of the heading over the list, letter case aside (formats html and markdown). Default: the heading of ' +
      'the Community Cloud page, "IP addresses".',
  )
  .optional();

const pointerKey = z
  .string()
  .regex(/^(?:\/(?:[^~/]|~[01])*)*$/, 'must be a JSON pointer (RFC 6901), such as /addresses')
  .describe('JSON pointer (RFC 6901) to an array of strings (format json). Default: the whole document.')
  .optional();

const formatKey = z
  .enum(FORMATS)
  .describe(
    'How the document is written: `text` (one address or CIDR a line), `json`, `html` or `markdown`.',
  );

const documentKeys = { format: formatKey, pointer: pointerKey, heading: headingKey };

/** One place where egress addresses are published, as the config names it. */
export const sourceSchema = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('streamlit-docs').describe('The rendered documentation page (HTML).'),
      url: urlKey(`Where the page is. Default: ${STREAMLIT_DOCS_URL}`).default(STREAMLIT_DOCS_URL),
      heading: headingKey,
    }),
    z.strictObject({
      type: z
        .literal('streamlit-github')
        .describe('The Markdown of the page in the documentation repository.'),
      url: urlKey(`Where the file is. Default: ${STREAMLIT_GITHUB_URL}`).default(STREAMLIT_GITHUB_URL),
      heading: headingKey,
    }),
    z.strictObject({
      type: z.literal('url').describe('Any document on the web.'),
      url: urlKey('Where the document is'),
      ...documentKeys,
    }),
    z.strictObject({
      type: z.literal('file').describe('A file on this machine.'),
      path: z.string().min(1).describe('Path of the file, relative to the config file.'),
      ...documentKeys,
    }),
  ])
  .superRefine((source, context) => {
    if (!('format' in source)) return;
    const { format, pointer, heading } = source;
    const misplaced = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (pointer !== undefined && format !== 'json') misplaced('pointer', 'is for the format json only');
    if (heading !== undefined && format !== 'html' && format !== 'markdown')
      misplaced('heading', 'is for the formats html and markdown only');
  });

/** A source of the config, defaults filled in. */
export type SourceConfig = z.output<typeof sourceSchema>;
