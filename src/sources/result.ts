import { type Cidr, parseCidr } from '../cidr.ts';
import { neutralise, truncate } from '../text.ts';

/** One address as it stands in a document. */
export interface ListedAddress {
  readonly text: string;
  readonly cidr: Cidr;
  /** Whether bits beyond the prefix were set (`10.0.0.1/8`); `cidr` has them cleared. */
  readonly hostBits: boolean;
}

/** Why a document gave no list. `malformed`: no list, or none that can be trusted. `empty`: a list with nothing in it. */
export interface Refusal {
  readonly ok: false;
  readonly status: 'malformed' | 'empty';
  /** What was looked for. */
  readonly looked: string;
  /** What was there instead, harmless to print. */
  readonly found: string;
}

interface ParsedList {
  readonly ok: true;
  /** In the order of the document, duplicates included; at least one. */
  readonly entries: readonly ListedAddress[];
  /** Where in the document, for people. */
  readonly position: string;
}

export type ParseResult = ParsedList | Refusal;

/** A document that its parser cannot make sense of. Never leaves this folder. */
export class Unreadable extends Error {}

export function malformed(looked: string, found: string): Refusal {
  return { ok: false, status: 'malformed', looked, found };
}

export function empty(looked: string, found: string): Refusal {
  return { ok: false, status: 'empty', looked, found };
}

/** Text of a document in a message: one line, harmless, at most 60 characters, in «». */
export function excerpt(text: string): string {
  const short = truncate(text.replace(/[ \t\r\n\f]+/g, ' ').trim(), 60);
  return `«${truncate(neutralise(short), 60)}»`;
}

/** The address that `text` is, with nothing around it. */
export function listedAddress(text: string): ListedAddress | { reason: string } {
  const parsed = parseCidr(text);
  return parsed.ok ? { text, cidr: parsed.cidr, hostBits: parsed.hostBits } : { reason: parsed.reason };
}

/** `1 list`, `2 lists`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
