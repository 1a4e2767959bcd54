import { PassThrough, type Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

/** What Accept-Encoding says that we understand. */
export const ENCODINGS = 'gzip, deflate, br';

/** A body that is larger than the limit, before or after decompression. */
export class TooLarge extends Error {}

/** A Content-Encoding that nobody asked for. */
export class UnknownEncoding extends Error {}

/**
 * The whole body, decompressed, at most `maxBytes` of it: counted while it streams, so that a small bomb never
 * unfolds. Throws {@link TooLarge}, {@link UnknownEncoding}, or what the stream fails with when it ends too early.
 */
export async function readBody(
  body: Readable,
  options: { encoding: string | undefined; maxBytes: number; signal: AbortSignal },
): Promise<Buffer> {
  const { encoding, maxBytes, signal } = options;
  const chunks: Buffer[] = [];
  let size = 0;
  const collect = async (stream: AsyncIterable<Buffer>) => {
    for await (const chunk of stream) {
      size += chunk.length;
      if (size > maxBytes) break;
      chunks.push(chunk);
    }
  };
  try {
    await pipeline(body, decoder(encoding), collect, { signal });
  } catch (error) {
    // Leaving the loop early cuts the stream, which then fails for that reason.
    if (size <= maxBytes) throw error;
  }
  if (size > maxBytes) throw new TooLarge(`more than ${maxBytes} bytes`);
  return Buffer.concat(chunks);
}

function decoder(encoding: string | undefined): Transform {
  switch ((encoding ?? 'identity').trim().toLowerCase()) {
    case '':
    case 'identity':
      return new PassThrough();
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'br':
      return createBrotliDecompress();
    default:
      throw new UnknownEncoding('a content encoding that was not asked for');
  }
}
