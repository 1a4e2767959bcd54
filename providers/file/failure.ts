import { CatalogueError, FatalError, TransientError } from '../../src/errors.ts';

/** Codes that may be gone at the next try: too many open files, a network file system that does not answer. */
const PASSING = new Set(['EMFILE', 'ENFILE', 'EAGAIN', 'EBUSY', 'EIO', 'ESTALE', 'ETIMEDOUT']);

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'no permission',
  EPERM: 'not permitted (only root or its owner can keep the owner of a file)',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left',
  EDQUOT: 'the quota is used up',
  ENOTDIR: 'a part of the path is no folder',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'the name is too long',
};

/** The system's code of a failure (`ENOENT`), or undefined for other errors. https://nodejs.org/api/errors.html#common-system-errors */
export function failure(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Runs `work` and turns what the system refuses into an error of the catalogue that names `path`. */
export async function withFileErrors<T>(
  verb: 'read' | 'replace',
  path: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const code = failure(cause);
    if (cause instanceof CatalogueError || code === undefined) throw cause;
    const message = `cannot ${verb} ${path}: ${REASONS[code] ?? code}`;
    if (PASSING.has(code)) throw new TransientError('unreachable', message, { cause });
    throw new FatalError('file-unreadable', message, {
      cause,
      hint:
        verb === 'read'
          ? 'Check the path (it is relative to the config file) and its permissions.'
          : 'The file and its folder must be writable: the file is replaced as a whole, and keeps its mode and owner.',
    });
  }
}
