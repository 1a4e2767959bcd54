import { constants } from 'node:fs';
import { access, chown, lstat, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { type Cidr, sortCidrs } from '../../src/cidr.ts';
import { ConflictError, FatalError } from '../../src/errors.ts';
import {
  type Change,
  defineProvider,
  formatMarker,
  type Identity,
  type Io,
  isOurs,
  markerOf,
  type Opened,
  refuseTooBroad,
  type Snapshot,
} from '../provider.ts';
import { nginx, text } from './blocks.ts';
import { failure, withFileErrors } from './failure.ts';
import type { Format } from './format.ts';
import { json } from './json.ts';

const FORMATS = { text, json, nginx } as const;

const options = z.strictObject({
  path: z
    .string()
    .min(1)
    .describe(
      'The file, from the folder of the config. Its folder must exist; the first write makes the file.',
    ),
  format: z
    .enum(['text', 'json', 'nginx'])
    .default('text')
    .describe('`text`: one CIDR a line; `nginx`: `allow …;` lines; `json`: the whole file is ours'),
});

/** Larger than any allowlist: a path to the wrong file is found out before it is taken apart. Bytes. */
const MAX_BYTES = 10 * 1024 * 1024;

/** What marks a file that does not exist yet, beside every content that one can have. */
type Content = string | null;

/**
 * A local file that some other program reads. It is replaced as a whole (write, sync, rename), a link's target rather
 * than the link, with its mode and owner; access control lists and other extended attributes are not kept. It is read
 * again just before, and what changed meanwhile is a lost race; between that look and the rename there is a window of
 * some milliseconds. Who reads the file must be told to read it again by other means.
 */
export const provider = defineProvider<z.output<typeof options>>({
  name: 'file',
  options,
  atomic: true,
  adopts: null,
  describe: ({ options: { path }, baseDir }) => ({
    object: `file ${resolve(baseDir, path)}`,
    services: [{ protocol: null, ports: null }],
    account: 'file',
  }),
  open: async ({ identity, options: { path, format }, baseDir }, io) =>
    openFile(resolve(baseDir, path), FORMATS[format], identity, io),
});

function openFile(path: string, format: Format, identity: Identity, io: Io): Opened {
  const contents = new WeakMap<Snapshot, Content>();
  return {
    async read() {
      const content = await io.request('readFile', () => load(path));
      const snapshot = snapshotOf(content ?? '', format, identity, path);
      contents.set(snapshot, content);
      return snapshot;
    },
    async write(changes, snapshot) {
      const before = contents.get(snapshot);
      if (before === undefined) throw new ConflictError(`${path} was not read before it was to be written`);
      refuseTooBroad(
        changes.flatMap((change) => (change.action === 'add' ? [change.entry.cidr] : [])),
        path,
      );
      if (changes.length === 0) return;
      const after = format.render(before ?? '', identity, path, result(changes, snapshot, identity));
      if (after !== before) await io.request('writeFile', () => replace(path, before, after));
    },
  };
}

function snapshotOf(content: string, format: Format, identity: Identity, path: string): Snapshot {
  const { entries, strange } = format.parse(content, identity, path);
  const desired = formatMarker(markerOf(identity));
  const outdated = entries.find(
    ({ marker }) => isOurs(marker, identity) && marker?.target !== identity.target,
  );
  const repair = { repair: true, id: path };
  return {
    entries: entries.map(({ cidr, marker }) => ({ cidr, protocol: null, ports: null, marker, id: path })),
    beside: [],
    settings: [
      ...(strange.length > 0
        ? [{ field: 'other-lines', actual: strange.join(', '), desired: 'none', ...repair }]
        : []),
      ...(outdated?.marker
        ? [{ field: 'marker', actual: formatMarker(outdated.marker), desired, ...repair }]
        : []),
    ],
    capacity: [],
    warnings: [],
  };
}

/** What our part is to hold: lines that nobody could read fall away with every write. */
function result(changes: readonly Change[], snapshot: Snapshot, identity: Identity): Cidr[] {
  const cidrs = new Set<Cidr>();
  for (const { cidr, marker } of snapshot.entries) if (isOurs(marker, identity)) cidrs.add(cidr);
  for (const change of changes) {
    if (change.action === 'add') cidrs.add(change.entry.cidr);
    if (change.action === 'remove' && isOurs(change.entry.marker, identity)) cidrs.delete(change.entry.cidr);
  }
  return sortCidrs(cidrs);
}

/** The content, a character for each byte; null when there is no file yet, but a folder for it. */
async function load(path: string): Promise<Content> {
  return withFileErrors('read', path, async () => {
    const found = await stat(path).catch(async (error: unknown) => {
      await noFileYet(path, error);
      return null;
    });
    if (!found) return null;
    if (!found.isFile()) throw new FatalError('object-differs', `${path} is no regular file`);
    if (found.size > MAX_BYTES)
      throw new FatalError('object-differs', `${path} is larger than ${MAX_BYTES} bytes: no allowlist`);
    const content = await readFile(path, 'latin1');
    if (content.includes('\0'))
      throw new FatalError('object-differs', `${path} is no text in ASCII or UTF-8`);
    return content;
  });
}

/** Passes when `error` says that the file is missing, and its folder is there; else throws. */
async function noFileYet(path: string, error: unknown): Promise<void> {
  if (failure(error) !== 'ENOENT') throw error;
  const link = await lstat(path).catch(() => null);
  if (link) throw new FatalError('target-missing', `${path} is a link to a file that does not exist`);
  const folder = await stat(dirname(path)).catch(() => null);
  if (!folder?.isDirectory())
    throw new FatalError('target-missing', `the folder of ${path} does not exist`, {
      hint: 'Make the folder, or correct `path` (it is relative to the config file).',
    });
}

async function replace(path: string, before: Content, after: string): Promise<void> {
  const { default: writeFileAtomic } = await import('write-file-atomic');
  if ((await load(path)) !== before) throw new ConflictError(`${path} was changed between read and write`);
  await withFileErrors('replace', path, async () => {
    const target = before === null ? path : await realpath(path);
    const kept = before === null ? null : await stat(target);
    // A file that is read-only would otherwise be replaced all the same: only its folder has to be writable.
    if (kept) await access(target, constants.W_OK);
    await writeFileAtomic(target, Buffer.from(after, 'latin1'), {
      ...(kept ? { mode: kept.mode & 0o7777 } : {}),
      tmpfileCreated: async (temporary) => {
        // Before anything is in it: write-file-atomic would ignore that it may not, and the file change hands.
        if (!kept) return;
        const made = await stat(temporary);
        if (made.uid !== kept.uid || made.gid !== kept.gid) await chown(temporary, kept.uid, kept.gid);
      },
    });
  });
}
