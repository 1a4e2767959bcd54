import type { SourceFormat } from '../../src/sources/schema.ts';

/** The list that every document below is about. Two neighbours run together would be well-formed: 4.127.0.121. */
export const LIST = [
  '35.230.127.150',
  '35.203.151.101',
  '34.19.100.134',
  '34.83.176.217',
  '34.127.0.121',
  '34.82.135.155',
];

/** An address that nobody published. */
const DECOY = '66.66.66.66';

export interface HostileDocument {
  readonly name: string;
  readonly format: SourceFormat;
  readonly document: string;
  /** `list`: exactly {@link LIST}; an array: exactly that; else a refusal with this status. */
  readonly expect: 'list' | 'malformed' | 'empty' | readonly string[];
}

const tags = (tag: string, list: readonly string[] = LIST) =>
  list.map((one) => `<${tag}>${one}</${tag}>`).join('');
const divs = tags('div');
const flex = `<section class="flex_Container__9v7cR">${divs}</section>`;
const intro = '<p>Community Cloud is currently served from the following IP addresses:</p>';
const heading = '<a name="ip-addresses"></a><h2>IP addresses</h2>';
const whole = (body: string) =>
  `<!DOCTYPE html><html><head><title>Status</title></head><body>${body}</body></html>`;
const page = (section: string) =>
  whole(
    `<article><h1>Status</h1><h2>Python</h2><p>protobuf&gt;=3.20</p>${section}<h2>Other</h2><p>x</p></article>`,
  );
const under = (section: string) => page(`${heading}${intro}${section}`);
/** The list with its third entry replaced, as items of an HTML list. */
const withThird = (third: string) =>
  `<ul>${LIST.map((one, index) => `<li>${index === 2 ? third : one}</li>`).join('')}</ul>`;
const withItem = (text: string) => withThird(text);

const jsx = LIST.map((one) => `  <div style={{ width: "150px" }}>${one}</div>`).join('\n');
const mdx = (section: string) =>
  `# Status\n\n## IP addresses\n\nThe list:\n\n${section}\n\n## Other\n\nText.\n`;
const bullets = LIST.map((one) => `- ${one}`).join('\n');

const html = (name: string, document: string, expect: HostileDocument['expect']): HostileDocument => ({
  name,
  format: 'html',
  document,
  expect,
});
const markdown = (name: string, document: string, expect: HostileDocument['expect']): HostileDocument => ({
  name,
  format: 'markdown',
  document,
  expect,
});
const other = (
  format: 'text' | 'json',
  name: string,
  document: string,
  expect: HostileDocument['expect'],
): HostileDocument => ({ name, format, document, expect });

const HTML: readonly HostileDocument[] = [
  html('the page as it is', under(flex), 'list'),
  html('items without any container', under(divs), 'list'),
  html(
    'an HTML list with strong items',
    under(`<ul>${LIST.map((a) => `<li><strong>${a}</strong></li>`).join('')}</ul>`),
    'list',
  ),
  html('spans in a paragraph of their own', under(`<p>${tags('span')}</p>`), 'list'),
  html('a list deep in wrappers', under(`<div><div><div>${flex}</div></div></div>`), 'list'),
  html('a heading in a wrapper of its own', page(`<header><h2>IP addresses</h2></header>${flex}`), 'list'),
  html('a heading of another level', page(`<h4>IP addresses</h4>${flex}`), 'list'),
  html(
    'a heading with a permalink and a line break',
    page(`<h2>\n IP\n addresses <a href="#x">#</a></h2>${flex}`),
    'list',
  ),
  html('a heading in capitals', page(`<h2>IP ADDRESSES</h2>${flex}`), 'list'),
  html(
    'the heading of former years',
    page(`<h2>Allowlisting Streamlit’s outbound IP addresses</h2>${flex}`),
    'list',
  ),
  html(
    'a callout with a heading before the list',
    under(`<section class="callout_Container__TMaoi"><h4>Warning</h4><p>May change.</p></section>${flex}`),
    'list',
  ),
  html('a callout with a heading of the same level', under(`<aside><h2>Warning</h2></aside>${flex}`), 'list'),
  html(
    'comments between items',
    under(`<section>${LIST.map((a) => `<div>${a}<!-- --></div><!-- ${DECOY} -->`).join('')}</section>`),
    'list',
  ),
  html(
    'a decoy in a note',
    under(`<div class="note">The load balancer is <code>${DECOY}</code></div>${flex}`),
    'list',
  ),
  html(
    'a list of decoys in a callout',
    under(`<section class="callout_Container__x">${tags('div', [DECOY])}</section>${flex}`),
    'list',
  ),
  html('a decoy in code', under(`<pre><code>${DECOY}</code></pre>${flex}`), 'list'),
  html('a list of decoys in code', under(`<pre>${tags('span', [DECOY, DECOY])}</pre>${flex}`), 'list'),
  html(
    'a decoy mentioned in a sentence',
    under(`<p>The load balancer <strong>${DECOY}</strong> is none.</p>${flex}`),
    'list',
  ),
  html('a decoy in a comment', under(`<!-- <ul><li>${DECOY}</li></ul> -->${flex}`), 'list'),
  html('a decoy in an attribute', under(`<p title="${DECOY}" data-ip="${DECOY}">Text</p>${flex}`), 'list'),
  html('a decoy in a script', under(`<script>var x = "<div>${DECOY}</div>"</script>${flex}`), 'list'),
  html('a decoy in a style', under(`<style>.x { content: "${DECOY}" }</style>${flex}`), 'list'),
  html('a decoy in a template', under(`<template><ul><li>${DECOY}</li></ul></template>${flex}`), 'list'),
  html('a decoy in noscript', under(`<noscript><ul><li>${DECOY}</li></ul></noscript>${flex}`), 'list'),
  html('a hidden list', under(`<ul hidden><li>${DECOY}</li></ul>${flex}`), 'list'),
  html(
    'a list that is not displayed',
    under(`<ul style="color:red; display : none"><li>${DECOY}</li></ul>${flex}`),
    'list',
  ),
  html(
    'a list that is hidden from screen readers',
    under(`<ul aria-hidden="true"><li>${DECOY}</li></ul>${flex}`),
    'list',
  ),
  html(
    'a list in another section',
    page(`<h2>Blocked</h2><ul><li>${DECOY}</li></ul>${heading}${flex}`),
    'list',
  ),
  html(
    'a hidden heading of that name before it',
    page(`<h2 hidden>IP addresses</h2><ul><li>${DECOY}</li></ul>${heading}${flex}`),
    'list',
  ),
  html('the section at the end of the page', whole(`<h1>Status</h1>${heading}${flex}`), 'list'),
  html(
    'one address beside a callout of the same kind',
    under(
      `<section class="callout_x"><p>May change.</p></section><section><div>34.19.100.134</div></section>`,
    ),
    ['34.19.100.134'],
  ),
  html(
    'two lists of one item each',
    under('<ul><li>34.19.100.134</li></ul><ul><li>34.83.176.217</li></ul>'),
    'malformed',
  ),
  html('the list under a lower heading', under(`<h3>Current</h3>${flex}`), 'list'),
  html(
    'IPv6 beside IPv4',
    under(`<ul>${tags('li', ['34.19.100.134', '2600:1901:0:1234::', '34.82.0.0/24'])}</ul>`),
    ['34.19.100.134', '2600:1901:0:1234::', '34.82.0.0/24'],
  ),
  html(
    'an IPv4-mapped address, left to the guards',
    under(withItem('::ffff:34.19.100.134')),
    LIST.map((a, i) => (i === 2 ? `::ffff:${a}` : a)),
  ),

  html('no section', page('<h2>Privacy</h2><p>None.</p>'), 'malformed'),
  html('the list moved to another section', page(`${heading}${intro}<h2>Network</h2>${flex}`), 'malformed'),
  html('the list before the heading', page(`${flex}${heading}${intro}`), 'malformed'),
  html('two headings of the same name', page(`${heading}${flex}${heading}${flex}`), 'malformed'),
  html(
    'today’s heading and the former one',
    page(`${heading}${flex}<h2>Allowlisting Streamlit's outbound IP addresses</h2>`),
    'malformed',
  ),
  html(
    'a heading of that name in a note',
    page(`<aside><h4>IP addresses</h4></aside>${heading}${flex}`),
    'malformed',
  ),
  html('the whole section in a note', page(`<aside>${heading}${flex}</aside>`), 'malformed'),
  html('the whole section hidden', page(`<div hidden>${heading}${flex}</div>`), 'malformed'),
  html(
    'the heading only in a table of contents',
    page(`<nav><ul><li><a href="#ip">IP addresses</a></li></ul></nav>${flex}`),
    'malformed',
  ),
  html(
    'a list split in two',
    under(
      `<section>${tags('div', LIST.slice(0, 3))}</section><section>${tags('div', LIST.slice(3))}</section>`,
    ),
    'malformed',
  ),
  html(
    'a list split by a paragraph',
    under(`${tags('div', LIST.slice(0, 3))}<p>and</p>${tags('div', LIST.slice(3))}`),
    'malformed',
  ),
  html(
    'a list split by lower headings',
    under(
      `<h3>US</h3><ul>${tags('li', LIST.slice(0, 3))}</ul><h3>EU</h3><ul>${tags('li', LIST.slice(3))}</ul>`,
    ),
    'malformed',
  ),
  html('a list twice', under(`${flex}${flex}`), 'malformed'),
  html('the list in a table', under(`<table><tr>${tags('td')}</tr></table>`), 'malformed'),
  html('a table beside the list', under(`${flex}<table><tr><td>${DECOY}</td></tr></table>`), 'malformed'),
  html('the list in code', under(`<pre><code>${LIST.join('\n')}</code></pre>`), 'malformed'),
  html('the list as items in code', under(`<pre>${tags('div')}</pre>`), 'malformed'),
  html('the list in a comment', under(`<!--${flex}-->`), 'malformed'),
  html('the list hidden', under(`<div style="display:none">${flex}</div>`), 'malformed'),
  html('the list in a callout', under(`<div class="admonition note">${flex}</div>`), 'malformed'),
  html('the list in prose', under(`<p>${LIST.join(', ')}</p>`), 'malformed'),
  html('the list with line breaks', under(`<div>${LIST.join('<br>')}</div>`), 'malformed'),
  html('bare addresses beside the list', under(`<p>${DECOY}, ${DECOY}</p>${flex}`), 'malformed'),
  html('an address in a division beside the list', under(`<div>Also ${DECOY}</div>${flex}`), 'malformed'),
  html(
    'a hidden item in the list',
    under(`<section>${divs}<div hidden>${DECOY}</div></section>`),
    'malformed',
  ),
  html('a struck item', under(withItem('<del>34.19.100.134</del>')), 'malformed'),
  html('an item with a remark', under(withItem('34.19.100.134 (new)')), 'malformed'),
  html('an item with two addresses', under(withItem('34.19.100.134 34.19.100.135')), 'malformed'),
  html('an item with a port', under(withItem('34.19.100.134:5432')), 'malformed'),
  html('an item that is a range', under(withItem('34.19.100.134-140')), 'malformed'),
  html('an empty item', under(withItem('')), 'malformed'),
  html('an item with three numbers', under(withItem('34.19.100')), 'malformed'),
  html('an item with a number too large', under(withItem('34.19.100.334')), 'malformed'),
  html('an item with a prefix too long', under(withItem('34.19.100.134/33')), 'malformed'),
  html('leading zeros', under(withItem('034.019.100.134')), 'malformed'),
  html('octal', under(withItem('042.023.0144.0206')), 'malformed'),
  html('hexadecimal', under(withItem('0x22.0x13.0x64.0x86')), 'malformed'),
  html('one decimal number', under(withItem('571696262')), 'malformed'),
  html('full-width digits', under(withItem('３４.１９.１００.１３４')), 'malformed'),
  html('Arabic digits', under(withItem('٣٤.١٩.١٠٠.١٣٤')), 'malformed'),
  html('ideographic full stops', under(withItem('34。19。100。134')), 'malformed'),
  html('a zero-width space', under(withItem('34.19.10\u200b0.134')), 'malformed'),
  html('a byte order mark in an item', under(withItem('\ufeff34.19.100.134')), 'malformed'),
  html('a no-break space', under(withItem('34.19.100.134&nbsp;')), 'malformed'),
  html('a right-to-left override', under(withItem('\u202e431.001.91.43')), 'malformed'),
  html('a null character', under(withItem('34.19.10\u00000.134')), 'malformed'),
  html('character references', under(withItem('&#51;4.19.100.134')), 'malformed'),
  html('a soft hyphen', under(withItem('34.19.1&shy;00.134')), 'malformed'),
  html('an address in two elements', under(withItem('<b>34.19.</b><b>100.134</b>')), 'malformed'),
  html('an address torn by a comment', under(withItem('34.19.<!-- -->100.134')), 'malformed'),
  html('a terminal escape', under(withItem('\u001b[2J34.19.100.134')), 'malformed'),
  html('nested lists', under(`<ul><li>${LIST[0]}<ul><li>${LIST[1]}</li></ul></li></ul>`), 'malformed'),
  html(
    'items of two kinds',
    under(`<section>${tags('div', LIST.slice(0, 3))}${tags('span', LIST.slice(3))}</section>`),
    'malformed',
  ),
  html(
    'commas between items',
    under(`<p>${LIST.map((a) => `<span>${a}</span>`).join(', ')}</p>`),
    'malformed',
  ),
  html('unclosed items', under(`<section>${LIST.map((a) => `<div>${a}`).join('')}</section>`), 'malformed'),
  html(
    'a list cut inside a page that is whole',
    `${under(flex).split('34.127.0')[0]}34.127.0</body></html>`,
    'malformed',
  ),
  html(
    'a list cut between items inside a page that is whole',
    `${under(flex).split('<div>34.127.0')[0]}</body></html>`,
    'malformed',
  ),
  html('a page without its end', under(flex).replace('</html>', ''), 'malformed'),
  html('an end tag only in a comment', under(flex).replace('</html>', '<!-- </html> -->'), 'malformed'),
  html(
    'an end tag only in a script',
    under(flex).replace('</body></html>', '<script>"</html>"'),
    'malformed',
  ),
  html('a second page after the first', `${under(flex)}${under(flex)}`, 'malformed'),
  html('content after the end', `${under(flex)}<div>${DECOY}</div>`, 'malformed'),
  html(
    'an error page',
    whole('<h1>503 Service Unavailable</h1><p>Request from 66.66.66.66</p>'),
    'malformed',
  ),
  html(
    'a login page',
    whole('<h1>Sign in</h1><form><input name="user"><button>Go</button></form>'),
    'malformed',
  ),
  html(
    'an address on an error page under the heading',
    page(`${heading}<h2>Error</h2><p>Your IP is ${DECOY}</p>`),
    'malformed',
  ),
  html('nothing at all', '', 'malformed'),
  html('plain text', LIST.join('\n'), 'malformed'),
  html('JSON', JSON.stringify(LIST), 'malformed'),
  html('nesting without end', whole('<div>'.repeat(5000)), 'malformed'),
  html('a list without items', under('<ul></ul>'), 'empty'),
  html('an empty row', under('<section class="flex_Container__9v7cR"> </section>'), 'empty'),
];

const MARKDOWN: readonly HostileDocument[] = [
  markdown('the source as it is', mdx(`<Flex wrap>\n${jsx}\n</Flex>`), 'list'),
  markdown('a Markdown list', mdx(bullets), 'list'),
  markdown('a loose Markdown list', mdx(LIST.map((a) => `* ${a}`).join('\n\n')), 'list'),
  markdown('bold items', mdx(LIST.map((a) => `1. **${a}**`).join('\n')), 'list'),
  markdown(
    'an HTML list',
    mdx(`<ul>\n${LIST.map((a) => `<li><strong>${a}</strong></li>`).join('\n')}\n</ul>`),
    'list',
  ),
  markdown('components without a container', mdx(jsx), 'list'),
  markdown(
    'components with blank lines between',
    mdx(`<Flex>\n${jsx.replaceAll('\n', '\n\n')}\n</Flex>`),
    'list',
  ),
  markdown(
    'a decoy in a Note',
    mdx(`<Note>\n\n- ${DECOY}\n\nIt is \`${DECOY}\`.\n\n</Note>\n\n${bullets}`),
    'list',
  ),
  markdown('a decoy in a quote', mdx(`> - ${DECOY}\n\n${bullets}`), 'list'),
  markdown('a decoy in a code block', mdx(`\`\`\`\n- ${DECOY}\n\`\`\`\n\n${bullets}`), 'list'),
  markdown('a heading in a code block', mdx(`\`\`\`\n## Other\n\`\`\`\n\n${bullets}`), 'list'),
  markdown('a decoy in a comment', mdx(`{/* - ${DECOY} */}\n\n${bullets}`), 'list'),
  markdown('a decoy in an attribute', mdx(`<Image alt="${DECOY}" />\n\n${bullets}`), 'list'),
  markdown('a decoy in a sentence', mdx(`Not **${DECOY}**, which is a balancer.\n\n${bullets}`), 'list'),
  markdown('a decoy in front matter', `---\nip: ${DECOY}\n---\n\n${mdx(bullets)}`, 'list'),
  markdown(
    'a hidden component',
    mdx(`<div style={{ display: "none" }}><div>${DECOY}</div></div>\n\n${bullets}`),
    'list',
  ),
  markdown('Windows line ends', mdx(bullets).replaceAll('\n', '\r\n'), 'list'),

  markdown('no section', '# Status\n\n## Other\n\nText.\n', 'malformed'),
  markdown('two sections', `${mdx(bullets)}${mdx(bullets)}`, 'malformed'),
  markdown('two lists', mdx(`${bullets}\n\nand\n\n${bullets}`), 'malformed'),
  markdown('a list in two kinds of bullets', mdx(`- ${LIST[0]}\n* ${LIST[1]}`), 'malformed'),
  markdown('the list in code', mdx(`\`\`\`\n${LIST.join('\n')}\n\`\`\``), 'malformed'),
  markdown('the list in inline code', mdx(LIST.map((a) => `- \`${a}\``).join('\n')), 'malformed'),
  markdown('the list in a Note', mdx(`<Note>\n\n${bullets}\n\n</Note>`), 'malformed'),
  markdown('the list in prose', mdx(LIST.join('\n')), 'malformed'),
  markdown(
    'the list in a table',
    mdx(`| IP |\n| --- |\n${LIST.map((a) => `| ${a} |`).join('\n')}`),
    'malformed',
  ),
  markdown('a table beside the list', mdx(`| IP |\n| --- |\n| ${DECOY} |\n\n${bullets}`), 'malformed'),
  markdown('the list in an expression', mdx(`<Flex>{${JSON.stringify(LIST)}}</Flex>`), 'malformed'),
  markdown(
    'an expression between comments beside the list',
    mdx(`{/* a */ "${DECOY}" /* b */}\n\n${bullets}`),
    'malformed',
  ),
  markdown(
    'items as expressions',
    mdx(`<Flex>\n${LIST.map((a) => `<div>{"${a}"}</div>`).join('\n')}\n</Flex>`),
    'malformed',
  ),
  markdown('an item with a remark', mdx(`${bullets} (new)`), 'malformed'),
  markdown('an item with an escape', mdx(bullets.replace('34.19', '34\\.19')), 'malformed'),
  markdown('an item with a reference', mdx(bullets.replace('34.19', '&#51;4.19')), 'malformed'),
  markdown('a struck item', mdx(bullets.replace('34.19.100.134', '~~34.19.100.134~~')), 'malformed'),
  markdown('a nested list', mdx(`- ${LIST[0]}\n  - ${LIST[1]}`), 'malformed'),
  markdown(
    'a line of text among the components',
    mdx(`<Flex>\n${jsx}\n\nand ${DECOY}\n\n</Flex>`),
    'malformed',
  ),
  markdown('a component that is not closed', mdx(`<Flex>\n${jsx}`), 'malformed'),
  markdown('a list that ends the document', mdx(bullets).split('\n\n## Other')[0] ?? '', 'malformed'),
  markdown(
    'a list that ends the document with its line',
    `${mdx(bullets).split('\n\n## Other')[0]}\n`,
    'malformed',
  ),
  markdown(
    'a cut list with the number of its next item',
    `${mdx(`1. ${LIST[0]}\n\n2. ${LIST[1]}`).split('\n\n## Other')[0]}\n\n3`,
    'malformed',
  ),
  markdown('components that end the document', `${mdx(jsx).split('\n\n## Other')[0]}\n`, 'malformed'),
  markdown('a page of HTML', under(flex), 'malformed'),
  markdown('nothing at all', '', 'malformed'),
  markdown('quotes without end', `${mdx(bullets)}${'>'.repeat(5000)}`, 'malformed'),
  markdown(
    'components inside one another without end',
    `${mdx(bullets)}${'<a>'.repeat(900)}${'</a>'.repeat(900)}\n`,
    'malformed',
  ),
  markdown('a book', `${mdx(bullets)}${'word '.repeat(40_000)}`, 'malformed'),
  markdown('an empty row', mdx('<Flex wrap></Flex>'), 'empty'),
];

const PLAIN: readonly HostileDocument[] = [
  other('text', 'addresses, comments and blank lines', `# list\n\n${LIST.join('\r\n')} # last\n`, 'list'),
  other('text', 'no newline at the end', LIST.join('\n'), 'list'),
  other('text', 'prose', `The list:\n${LIST.join('\n')}`, 'malformed'),
  other('text', 'two on a line', LIST.join(' '), 'malformed'),
  other('text', 'commas', LIST.join(',\n'), 'malformed'),
  other('text', 'a comment without space before it', `${LIST[0]}#x`, 'malformed'),
  other('text', 'a lone carriage return', LIST.join('\r'), 'malformed'),
  other('text', 'an escape sequence', `\u001b[31m${LIST[0]}`, 'malformed'),
  other('text', 'an HTML page', under(flex), 'malformed'),
  other('text', 'comments only', '# nothing\n', 'empty'),
  other('text', 'nothing at all', '', 'empty'),
  other('json', 'an array', JSON.stringify(LIST), 'list'),
  other('json', 'an array with spaces in its strings', JSON.stringify(LIST.map((a) => ` ${a}`)), 'malformed'),
  other('json', 'an array with a null', JSON.stringify([...LIST, null]), 'malformed'),
  other('json', 'an array of objects', JSON.stringify(LIST.map((ip) => ({ ip }))), 'malformed'),
  other('json', 'an object', JSON.stringify({ addresses: LIST }), 'malformed'),
  other('json', 'one string', JSON.stringify(LIST[0]), 'malformed'),
  other('json', 'a cut array', JSON.stringify(LIST).slice(0, -5), 'malformed'),
  other('json', 'two arrays', `${JSON.stringify(LIST)}${JSON.stringify(LIST)}`, 'malformed'),
  other('json', 'nesting without end', '['.repeat(100_000), 'malformed'),
  other('json', 'an HTML page', under(flex), 'malformed'),
  other('json', 'nothing at all', '', 'malformed'),
  other('json', 'an empty array', '[]', 'empty'),
];

/** Documents that try to be read wrongly, and what each must give. */
export const HOSTILE: readonly HostileDocument[] = [...HTML, ...MARKDOWN, ...PLAIN];
