import { z } from 'zod';
import { alertMemorySchema } from '../alerts/alert.ts';
import { type Cidr, parseCidr } from '../cidr.ts';

/** Milliseconds since the epoch. */
const time = z.number();

const cidr = z.string().transform((text, context): Cidr => {
  const parsed = parseCidr(text);
  if (parsed.ok && parsed.cidr === text) return parsed.cidr;
  context.addIssue({ code: 'custom', message: 'no canonical CIDR' });
  return z.NEVER;
});

const targetMemorySchema = z.object({
  /** The object it was then: another one is another target, of which nothing is remembered. */
  object: z.string(),
  /** What was desired at the end of the last run, extras included. */
  desired: z.array(cidr),
  extras: z.array(cidr),
  /** The services then, as `serviceName` words them. */
  services: z.array(z.string()),
  /** Owned entries as they were left: key, the service's id, when we wrote them (0: found there already). */
  entries: z.array(z.object({ key: z.string(), cidr, id: z.string(), writtenAt: time })),
  /** Settings the provider keeps, as they were desired. */
  settings: z.array(z.object({ field: z.string(), desired: z.string() })),
  /** When entries were put back after somebody took them away; the last day only. */
  putBack: z.array(z.object({ key: z.string(), at: time })),
  /** When entries were removed; the last minutes only, in which a read may still show them. */
  removed: z.array(z.object({ key: z.string(), at: time })).default([]),
  /** Keys of what an adopted object held besides: taken away only with approval. */
  leftovers: z.array(z.string()),
});

const heldSchema = z.object({
  id: z.string(),
  kind: z.enum(['list', 'plan']),
  /** Null for a list, which is held for all targets. */
  target: z.string().nullable(),
  guard: z.string(),
  detail: z.string(),
  since: time,
});

const acceptedSchema = z.object({
  listId: z.string(),
  cidrs: z.array(cidr).min(1),
  at: time,
  approved: z.boolean(),
});

/** What is remembered between runs. It makes runs quieter and slower to remove; without it they still do no harm. */
export const stateSchema = z.object({
  version: z.literal(1),
  accepted: acceptedSchema.nullable(),
  /** Newer lists that only targets with some guards off have accepted, by the names of those guards. */
  relaxed: z.record(z.string(), acceptedSchema).default({}),
  /** How the accepted list changed, as long as a run that told people of it has not come to its end. */
  untold: z
    .object({ added: z.array(cidr), removed: z.array(cidr) })
    .nullable()
    .default(null),
  /** Accepted lists of the last seven days, oldest first, for what shrinks a little at a time. */
  recent: z.array(z.object({ at: time, cidrs: z.array(cidr) })),
  clocks: z.array(
    z.object({
      cidr,
      since: time,
      sightings: z.number(),
      approved: z.boolean(),
      listed: z.boolean().default(true),
    }),
  ),
  targets: z.record(z.string(), targetMemorySchema),
  alerts: alertMemorySchema,
  held: z.array(heldSchema),
  /** The last time that every source answered and agreed, and the last run that failed nowhere. */
  lastAgreedAt: time.nullable(),
  lastSuccessAt: time.nullable(),
});

export type State = z.output<typeof stateSchema>;
export type TargetMemory = z.output<typeof targetMemorySchema>;
export type HeldItem = z.output<typeof heldSchema>;
