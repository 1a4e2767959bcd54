import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import type { z } from 'zod';
import { FatalError, messageOf } from '../errors.ts';

/** What a read found. `missing` and `broken` are different things: the one is a first run, the other a loss. */
export type ReadJson<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'missing' }
  /** `detail` says what is wrong, in one line, without quoting the content. */
  | { readonly kind: 'broken'; readonly detail: string };

/** Only the user who runs this may look: the state tells which addresses reach which database. */
const FOLDER_MODE = 0o700;
export const FILE_MODE = 0o600;

/** Makes the folder (0700) and its parents where they are missing. Throws `state-unusable`. */
export async function ensureFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: FOLDER_MODE });
  } catch (error) {
    throw unusable(path, error);
  }
}

/** Reads one JSON file and checks it. Throws `state-unusable` when it is there and cannot be read at all. */
export async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<ReadJson<T>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { kind: 'missing' };
    throw unusable(path, error);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: 'broken', detail: `${path} is not JSON (${text.length} characters)` };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { kind: 'ok', value: parsed.data };
  const where = parsed.error.issues.map((issue) => issue.path.join('.') || 'the whole').slice(0, 3);
  return { kind: 'broken', detail: `${path} is not in the form expected at ${where.join(', ')}` };
}

/**
 * Replaces one JSON file whole (0600): a reader, or the next run after a crash, finds the old content or the new.
 * Makes the folder. Throws `state-unusable` with the path (no space, no permission).
 */
export async function writeJson(path: string, value: unknown): Promise<void> {
  await ensureFolder(dirname(path));
  try {
    await writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`, { mode: FILE_MODE });
  } catch (error) {
    throw unusable(path, error);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left',
  EDQUOT: 'the disk quota is used up',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is no folder',
  EEXIST: 'it is no folder',
};

/** The error of the catalogue for a file of the state that cannot be used. */
export function unusable(path: string, error: unknown): FatalError {
  const code = systemCode(error);
  const reason = (code && REASONS[code]) ?? code ?? messageOf(error);
  return new FatalError('state-unusable', `${path} cannot be used: ${reason}`, { cause: error });
}

/** `ENOENT` and the like, where the system gave one. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
