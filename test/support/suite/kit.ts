import { tmpdir } from 'node:os';
import { expect } from 'vitest';
import type { Identity, Opened, Service } from '../../../providers/provider.ts';
import { type Cidr, toCidr } from '../../../src/cidr.ts';
import { FatalError } from '../../../src/errors.ts';
import { converge, keyOf, type Wanted, wantedOf } from '../converge.ts';
import type { Allowed, Capabilities, CaseKey, Fixture } from '../fixture.ts';
import { type TestIo, type TestIoOptions, testIo } from '../io.ts';

export const US: Identity = { owner: 'acme-prod', target: 'orders-db', previousNames: [] };

/** The published list, in the order in which the page has it. */
export const PUBLISHED: readonly Cidr[] =
  `35.230.127.150 35.203.151.101 34.19.100.134 34.83.176.217 35.230.58.211 35.203.187.165
   35.185.209.55 34.127.88.74 34.127.0.121 35.230.78.192 35.247.110.67 35.197.92.111
   34.168.247.159 35.230.56.30 34.127.33.101 35.227.190.87 35.199.156.97 34.82.135.155`
    .split(/\s+/)
    .map(toCidr);
export const A = toCidr('34.19.100.134');
export const B = toCidr('35.230.127.150');
export const C = toCidr('34.83.176.0/24');
export const D = toCidr('34.168.247.159');
const V6 = ['2600:1900:4010:8a0::/64', '2600:1900:4020::1/128'].map(toCidr);
export const HAND = toCidr('52.10.20.30');

/** One case of the suite. */
export interface Case {
  readonly key: CaseKey;
  /** A sentence. */
  readonly title: string;
  /** Why this kind of object does not need it. */
  readonly lacks?: string | undefined;
  /** Throws what does not hold. */
  run(kit: Kit): Promise<void>;
}

/** What a case works with: one fresh object, and the tool opened on it. */
export interface Kit {
  readonly fixture: Fixture;
  readonly services: readonly Service[];
  readonly first: Service;
  readonly opened: Opened;
  readonly io: TestIo;
  /** Opens the object again, as another run does, perhaps as somebody else. */
  open(identity?: Identity, options?: TestIoOptions): Promise<{ opened: Opened; io: TestIo }>;
  wanted(cidrs: readonly Cidr[]): Wanted[];
  /** One pass; after it the object is asked from outside. */
  sync(cidrs: readonly Cidr[], opened?: Opened, identity?: Identity): Promise<void>;
  /** What the object allows, from outside, as sorted keys. */
  outside(): Promise<string[]>;
  /** Ends the case as skipped, with the reason. */
  skip(reason: string): never;
}

export async function makeKit(fixture: Fixture): Promise<Omit<Kit, 'skip'>> {
  const { provider, services, baseDir = tmpdir(), env = {} } = fixture;
  const [first] = services;
  if (!first) throw new Error('a fixture needs a service');
  const open: Kit['open'] = async (identity = US, options = {}) => {
    const io = testIo({ env, ...options });
    const spec = { identity, options: provider.options.parse(fixture.options), baseDir };
    return { opened: await provider.open(spec, io), io };
  };
  const { opened, io } = await open(US, { deadlineMs: Number.POSITIVE_INFINITY });
  const wanted = (cidrs: readonly Cidr[]) => wantedOf(cidrs, services);
  return {
    ...{ fixture, services, first, opened, io, open, wanted },
    sync: (cidrs, through = opened, identity = US) => converge(through, provider, identity, wanted(cidrs)),
    outside: async () => keys(await fixture.current()),
  };
}

/** The published list and, where the object has both families, some of the other. */
export function listFor({ families }: Capabilities): readonly Cidr[] {
  return families.includes('ipv6') ? [...PUBLISHED, ...V6] : PUBLISHED;
}

export function keys(entries: readonly Allowed[]): string[] {
  return entries.map(keyOf).sort();
}

/** Lets exactly one kind of refusal pass. */
export function refused(code: string): (error: unknown) => undefined {
  return (error) => {
    expect(error).toBeInstanceOf(FatalError);
    expect(error).toMatchObject({ code });
    return undefined;
  };
}

/** Opens the object so that `look` sees it at every request boundary; `verdict` throws what `look` threw first. */
export async function watch(kit: Kit, look: (view: string[]) => void) {
  const failures: unknown[] = [];
  let watching = true;
  const record = (allowed: readonly Allowed[]) => {
    if (!watching) return;
    try {
      look(keys(allowed));
    } catch (error) {
      failures.push(error);
    }
  };
  kit.fixture.onRequest?.(record);
  const afterAttempt = async () => record(await kit.fixture.current());
  const { opened } = await kit.open(US, kit.fixture.onRequest ? {} : { afterAttempt });
  return {
    opened,
    verdict: () => {
      watching = false;
      if (failures.length > 0) throw failures[0];
    },
  };
}

/** One pass under watch: what is allowed and still wanted stays, what appears was given, and the end is in sync. */
export async function watchedSync(
  kit: Kit,
  cidrs: readonly Cidr[],
  unowned: ReadonlySet<string> = new Set(),
) {
  const before = await kit.outside();
  const after = [...new Set([...keys(kit.wanted(cidrs)), ...unowned])].sort();
  const stays = before.filter((key) => after.includes(key));
  const may = new Set([...before, ...after]);
  const { opened, verdict } = await watch(kit, (view) => {
    expect(view).toEqual(expect.arrayContaining(stays));
    for (const key of view) expect(may).toContain(key);
  });
  try {
    await kit.sync(cidrs, opened);
  } finally {
    verdict();
  }
  expect(await kit.outside()).toEqual(after);
}
