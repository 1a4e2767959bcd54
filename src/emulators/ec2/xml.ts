/** What can be written: undefined is left out, a list becomes `<item>` elements as in every EC2 answer. */
export type Xml = string | number | boolean | undefined | readonly Xml[] | { readonly [name: string]: Xml };

const NAMESPACE = 'http://ec2.amazonaws.com/doc/2016-11-15/';
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
};

/** The answer of one action. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html */
export function writeAnswer(
  action: string,
  requestId: string,
  body: { readonly [name: string]: Xml },
): string {
  const name = `${action}Response`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name} xmlns="${NAMESPACE}">${element('requestId', requestId)}${content(body)}</${name}>`;
}

/**
 * The shape of every refusal, as recorded in https://github.com/galaxyproject/cloudlaunch/issues/56 (`RequestID` is
 * written in capitals here, and only here).
 */
export function writeError(code: string, message: string, requestId: string): string {
  const error = { Errors: { Error: { Code: code, Message: message } }, RequestID: requestId };
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Response>${content(error)}</Response>`;
}

function element(name: string, value: Xml): string {
  if (value === undefined) return '';
  const inner = content(value);
  return inner === '' ? `<${name}/>` : `<${name}>${inner}</${name}>`;
}

function content(value: Xml): string {
  if (value === undefined) return '';
  if (isList(value)) return value.map((item) => element('item', item)).join('');
  if (typeof value === 'object')
    return Object.entries(value)
      .map(([name, child]) => element(name, child))
      .join('');
  return String(value).replace(/[&<>"\r]/g, (character) => ESCAPES[character] ?? character);
}

function isList(value: Xml): value is readonly Xml[] {
  return Array.isArray(value);
}
