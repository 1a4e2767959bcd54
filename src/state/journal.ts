import { type FileHandle, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureFolder, FILE_MODE, systemCode, unusable } from './files.ts';
import { type JournalEntry, type JournalRecord, parseRecord } from './records.ts';

const FILE = 'journal.jsonl';
/** The newest file and four older ones, `journal.jsonl.1` the youngest of them. */
const FILES = 5;
const MAX_BYTES = 10 * 1024 * 1024;
const CHUNK = 64 * 1024;
/** A longer line is none of ours (a hole that a power cut left, say), and is not brought into memory whole. */
const MAX_LINE = 4 * 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * Adds records to the journal, each one line, all in one write that appends. What a crash tore off at the end is
 * closed with a line feed first, so that it spoils only itself. A file that would grow over `maxBytes` (10 MB) is
 * put away before; five files are kept. Call it under the lock. Throws `state-unusable`.
 */
export async function appendJournal(
  stateDir: string,
  records: readonly JournalRecord[],
  options: { maxBytes?: number } = {},
): Promise<void> {
  if (records.length === 0) return;
  const path = join(stateDir, FILE);
  const lines = Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  await ensureFolder(stateDir);
  try {
    await rotate(path, lines.length, options.maxBytes ?? MAX_BYTES);
    const file = await open(path, 'a+', FILE_MODE);
    try {
      const whole = await endsWithNewline(file);
      const bytes = whole ? lines : Buffer.concat([Buffer.of(NEWLINE), lines]);
      const { bytesWritten } = await file.write(bytes);
      if (bytesWritten !== bytes.length)
        throw new Error(`only ${bytesWritten} of ${bytes.length} bytes written`);
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw unusable(path, error);
  }
}

/**
 * The newest `limit` records, newest first, across the files that were put away, read from the end: memory depends
 * on `limit`, not on the length of the history. `skipped` counts the lines on the way that are no records. A journal
 * that is not there yet is an empty one. Throws `state-unusable`.
 */
export async function readJournal(
  stateDir: string,
  options: { limit: number },
): Promise<{ entries: JournalEntry[]; skipped: number }> {
  const entries: JournalEntry[] = [];
  let skipped = 0;
  for (let index = 0; index < FILES && entries.length < options.limit; index += 1) {
    const path = fileName(join(stateDir, FILE), index);
    const file = await openIfThere(path);
    if (!file) continue;
    try {
      for await (const line of linesFromEnd(file)) {
        if (line?.length === 0) continue;
        const entry = line && parseRecord(line.toString('utf8'));
        if (entry) entries.push(entry);
        else skipped += 1;
        if (entries.length >= options.limit) break;
      }
    } catch (error) {
      throw unusable(path, error);
    } finally {
      await file.close();
    }
  }
  return { entries, skipped };
}

/** From the oldest on, so that a crash between two renames loses nothing but, at most, the oldest file. */
async function rotate(path: string, coming: number, maxBytes: number): Promise<void> {
  const file = await openIfThere(path);
  if (!file) return;
  let size: number;
  try {
    ({ size } = await file.stat());
  } finally {
    await file.close();
  }
  if (size === 0 || size + coming <= maxBytes) return;
  for (let index = FILES - 2; index >= 0; index -= 1) {
    try {
      await rename(fileName(path, index), fileName(path, index + 1));
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
    }
  }
}

function fileName(path: string, index: number): string {
  return index === 0 ? path : `${path}.${index}`;
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw unusable(path, error);
  }
}

async function endsWithNewline(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === NEWLINE;
}

/** The lines of a file from the last to the first, as bytes; undefined for a line that is too long to be one. */
async function* linesFromEnd(file: FileHandle): AsyncGenerator<Buffer | undefined> {
  let { size: position } = await file.stat();
  let tail: Buffer[] = [];
  let tailBytes = 0;
  const keep = (bytes: Buffer): void => {
    tailBytes += bytes.length;
    if (tailBytes > MAX_LINE) tail = [];
    else tail.unshift(bytes);
  };
  const flush = (): Buffer | undefined => {
    const line = tailBytes > MAX_LINE ? undefined : Buffer.concat(tail);
    tail = [];
    tailBytes = 0;
    return line;
  };
  while (position > 0) {
    const length = Math.min(CHUNK, position);
    position -= length;
    const chunk = await readExactly(file, length, position);
    let end = chunk.length;
    for (let at = chunk.lastIndexOf(NEWLINE); at !== -1; ) {
      keep(chunk.subarray(at + 1, end));
      yield flush();
      end = at;
      at = at === 0 ? -1 : chunk.lastIndexOf(NEWLINE, at - 1);
    }
    keep(chunk.subarray(0, end));
  }
  if (tailBytes > 0) yield flush();
}

async function readExactly(file: FileHandle, length: number, position: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(buffer, done, length - done, position + done);
    if (bytesRead === 0) return buffer.subarray(0, done);
    done += bytesRead;
  }
  return buffer;
}
