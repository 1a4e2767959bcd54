import type { Cidr } from '../../src/cidr.ts';
import type { Identity, Marker } from '../provider.ts';

/** What a file allows. */
export interface Found {
  readonly entries: readonly { readonly cidr: Cidr; readonly marker: Marker | null }[];
  /** Places in our own part that hold something else than an address; the next write takes them out. */
  readonly strange: readonly string[];
}

/**
 * One way of writing addresses into a file. Pure; `content` has one character for each byte (Latin-1), so that the
 * bytes of others survive whatever their encoding. Both throw `object-differs` or `not-owned`, naming `path`.
 */
export interface Format {
  parse(content: string, identity: Identity, path: string): Found;
  /** `content` with exactly `cidrs` in our part. */
  render(content: string, identity: Identity, path: string, cidrs: readonly Cidr[]): string;
}
