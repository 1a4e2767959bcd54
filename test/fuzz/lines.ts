/** Everything that is read from outside and is no document of a source. */
import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { nginx as nginxFile, text as textFile } from '../../providers/file/blocks.ts';
import type { Format } from '../../providers/file/format.ts';
import { json as jsonFile } from '../../providers/file/json.ts';
import { formatMarker, parseMarker } from '../../providers/provider.ts';
import { parseCidr, toCidr } from '../../src/cidr.ts';
import { interpolate } from '../../src/config/interpolate.ts';
import { formatDuration, parseDuration } from '../../src/duration.ts';
import { FatalError, messageOf } from '../../src/errors.ts';
import { parseRanges } from '../../src/guards/provenance.ts';
import { parseRecord } from '../../src/state/records.ts';
import type { Fuzzed } from './runner.ts';
import { address, addressesIn, addressLike, damaged, demand, NASTY } from './texts.ts';

/** Held to what Node itself knows of addresses. */
function checkCidr(text: string): void {
  const parsed = parseCidr(text);
  const [host = '', bits, ...rest] = text.split('/');
  if (!parsed.ok) {
    demand(isIP(text) === 0 || text.includes('%'), `«${text}» is an address and was refused`);
    return;
  }
  const family = isIP(host);
  demand(family !== 0 && rest.length === 0 && !host.includes('%'), `«${text}» is no address and was taken`);
  const [network = '', prefix] = parsed.cidr.split('/');
  const most = family === 4 ? 32 : 128;
  demand(
    Number(prefix) === Number(bits ?? most) && Number(prefix) <= most,
    `the prefix of «${text}» became ${prefix}`,
  );
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  const range = new BlockList();
  range.addSubnet(host, Number(prefix), kind);
  demand(range.check(network, kind), `${parsed.cidr} is not where «${text}» is`);
  const again = parseCidr(parsed.cidr);
  demand(again.ok && again.cidr === parsed.cidr && !again.hostBits, `${parsed.cidr} is not canonical`);
  if (Number(prefix) === most && kind === 'ipv4') demand(network === host, `«${host}» became ${network}`);
}

const name = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,10}$/);
const marker = fc.record({ owner: name, target: name });
const MARKER =
  /^\s*allowlist-sync\/v1\s+owner=([a-z0-9][a-z0-9._-]{0,62})\s+target=([a-z0-9][a-z0-9._-]{0,62})\s*$/;

function checkMarker(text: string): void {
  const parsed = parseMarker(text);
  const [, owner, target] = MARKER.exec(text) ?? [];
  const same = parsed ? parsed.owner === owner && parsed.target === target : owner === undefined;
  demand(same, `«${text}» was read as ${parsed ? formatMarker(parsed) : 'no marker'}`);
}

const SCOPES = ['us-west1', 'europe-west1'];
const rangesDocument = fc
  .record({
    syncToken: fc.string({ maxLength: 5 }),
    prefixes: fc.array(
      fc.oneof(
        {
          weight: 6,
          arbitrary: fc.record({ ipv4Prefix: addressLike, scope: fc.constantFrom(...SCOPES, 'global') }),
        },
        { weight: 2, arbitrary: fc.record({ ipv6Prefix: addressLike, scope: fc.constantFrom(...SCOPES) }) },
        { weight: 1, arbitrary: fc.jsonValue() },
      ),
      { maxLength: 6 },
    ),
  })
  .map((value) => JSON.stringify(value));

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

function checkRanges(document: string): void {
  const parsed = parseRanges(document, ['us-west1']);
  if (!parsed.ok) return;
  demand(parsed.cidrs.length > 0, 'no ranges, and no refusal');
  const written = stringsIn(JSON.parse(document)).flatMap((text) => {
    const one = parseCidr(text);
    return one.ok ? [one.cidr] : [];
  });
  for (const cidr of parsed.cidrs) demand(written.includes(cidr), `${cidr} is not in the document`);
}

/** What must never come out of a config that is not right. */
const CANARY = 'canary-5e2f9c';
const ENV = { TOKEN: CANARY, EMPTY: '', OTHER: 'abc' };
const configText = damaged(
  fc.constantFrom(
    '${TOKEN}',
    'https://x/${TOKEN}/y',
    '$${TOKEN}',
    '${OTHER}-${TOKEN}',
    '${MISSING}',
    '${EMPTY}',
    '$',
    'x',
  ),
  ['${', '}', '$${', '${TOKEN}', '${__proto__}', '${constructor}'],
);
const configValue = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    configText,
    fc.constantFrom(null, 1, true),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'webhookUrl', '__proto__', 'secret'), tie('value'), { maxKeys: 3 }),
  ),
})).value;

function checkInterpolation(value: unknown): void {
  const { problems, value: made } = interpolate(value, ENV);
  for (const { problem } of problems)
    demand(!problem.includes(CANARY), `a problem shows a value: ${problem}`);
  const [before, after] = [stringsIn(value), stringsIn(made)];
  demand(before.length === after.length, 'strings came or went');
  for (const [index, text] of before.entries())
    if (!text.includes('$')) demand(after[index] === text, `«${text}» became «${after[index]}»`);
}

function checkDuration(text: string): void {
  const ms = parseDuration(text);
  if (ms === undefined) return;
  demand(/^\d+[a-z]$/.test(text), `«${text}» was taken for a duration`);
  demand(parseDuration(formatDuration(ms)) === ms, `${ms} ms are not the same when they come back`);
}

const record = fc
  .oneof(
    fc.record({
      at: fc.constant('2026-03-01T12:00:00.000Z'),
      runId: fc.string({ maxLength: 6 }),
      type: fc.constantFrom('run', 'list-accepted', 'approved', 'alert', 'unknown'),
      cidrs: fc.array(address, { maxLength: 3 }),
      id: fc.string({ maxLength: 6 }),
      user: fc.string({ maxLength: 6 }),
      host: fc.string({ maxLength: 6 }),
    }),
    fc.jsonValue(),
  )
  .map((value) => JSON.stringify(value));

function checkRecord(line: string): void {
  const entry = parseRecord(line);
  if (!entry) return;
  const { at, runId } = entry.record;
  demand(!Number.isNaN(Date.parse(at)) && typeof runId === 'string', 'a record without time or run');
}

const US = { owner: 'acme', target: 'edge', previousNames: ['old-edge'] };
const blockLines = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: address },
      { weight: 4, arbitrary: address.map((one) => `allow ${one};`) },
      { weight: 2, arbitrary: addressLike },
      {
        weight: 4,
        arbitrary: fc.constantFrom(
          '# BEGIN allowlist-sync/v1 owner=acme target=edge',
          '# END allowlist-sync/v1 owner=acme target=edge',
          '# BEGIN allowlist-sync/v1 owner=acme target=old-edge',
          '# END allowlist-sync/v1 owner=acme target=old-edge',
          '# BEGIN allowlist-sync/v1 owner=other target=edge',
          '# END allowlist-sync/v1 owner=other target=edge',
        ),
      },
      { weight: 1, arbitrary: fc.constantFrom('', 'deny all;', '# text', 'allow all;', 'location / {') },
    ),
    { maxLength: 12 },
  )
  .map((lines) => lines.join('\n'));
const allowFile = fc
  .record({
    owner: fc.constantFrom('acme', 'other'),
    target: fc.constantFrom('edge', 'x'),
    cidrs: fc.array(addressLike),
  })
  .map((value) => JSON.stringify(value));

const WANTED = [toCidr('34.19.100.1/32'), toCidr('2600:1900:4000::1/128')];

/** What is read stands there, and what is written can be read back and leaves the rest alone. */
function checkFile(format: Format) {
  return (content: string): void => {
    try {
      const before = format.parse(content, US, 'file');
      const written = new Set(addressesIn(content));
      for (const { cidr } of before.entries)
        demand(
          written.has(cidr) || (cidr.endsWith('/0') && content.includes('all')),
          `${cidr} is not in the file`,
        );
      const foreign = (all: typeof before.entries) =>
        all.filter(({ marker: one }) => one?.owner !== US.owner).map(({ cidr }) => cidr);
      const after = format.parse(format.render(content, US, 'file', WANTED), US, 'file');
      const ours = after.entries.filter(
        ({ marker: one }) => one?.owner === US.owner && one.target === US.target,
      );
      demand(ours.map(({ cidr }) => cidr).join() === WANTED.join(), 'what was written is not what is read');
      demand(foreign(after.entries).join() === foreign(before.entries).join(), 'entries of others changed');
    } catch (error) {
      if (!(error instanceof FatalError)) throw error;
      demand(messageOf(error).length < 2_000, 'a message without end');
    }
  };
}

export const CIDR: Fuzzed<string> = {
  name: 'cidr',
  inputs: 350_000,
  arbitrary: addressLike,
  check: checkCidr,
};

export const LINES: readonly Fuzzed<string>[] = [
  {
    name: 'marker',
    inputs: 120_000,
    arbitrary: damaged(marker.map(formatMarker), ['owner=', ' target=', 'allowlist-sync/v1', ' ', 'A', '_']),
    check: checkMarker,
  },
  {
    name: 'ranges of the publisher',
    inputs: 60_000,
    arbitrary: fc.oneof(
      rangesDocument,
      damaged(rangesDocument, ['"scope":"us-west1"', '{', '}', ',']),
      fc.string(),
    ),
    check: checkRanges,
  },
  {
    name: 'journal line',
    inputs: 60_000,
    arbitrary: fc.oneof(
      record,
      damaged(record, ['"', '{', '}', '\\', '"type":"run",']),
      fc.string({ unit: 'binary' }),
    ),
    check: checkRecord,
  },
  {
    name: 'duration',
    inputs: 40_000,
    arbitrary: damaged(
      fc.tuple(fc.nat(100_000), fc.constantFrom('s', 'm', 'h', 'd')).map((parts) => parts.join('')),
      NASTY,
      2,
    ),
    check: checkDuration,
  },
  {
    name: 'file target, text',
    inputs: 20_000,
    arbitrary: damaged(blockLines, ['# BEGIN ', '# END '], 2),
    check: checkFile(textFile),
  },
  {
    name: 'file target, nginx',
    inputs: 20_000,
    arbitrary: damaged(blockLines, ['allow ', ';'], 2),
    check: checkFile(nginxFile),
  },
  {
    name: 'file target, json',
    inputs: 20_000,
    arbitrary: damaged(allowFile, ['"', ',', '{'], 2),
    check: checkFile(jsonFile),
  },
];

export const CONFIG_VALUES: Fuzzed<unknown> = {
  name: 'interpolation of the config',
  inputs: 60_000,
  arbitrary: configValue,
  check: checkInterpolation,
};
