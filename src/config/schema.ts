import { z } from 'zod';
import { nameSchema } from '../../providers/provider.ts';
import { alertSchema } from '../alerts/schema.ts';
import { durationSchema } from '../duration.ts';
import { LIST_GUARDS, PLAN_GUARDS } from '../guards/names.ts';
import { sourceSchema } from '../sources/schema.ts';
import { cidrSchema, cronSchema, extraCidrSchema, timezoneSchema, urlSchema } from './values.ts';

const guardSwitch = z.literal('off').optional();
const guardsSchema = z.strictObject(
  Object.fromEntries(
    [...LIST_GUARDS, ...PLAN_GUARDS].map((name) => [
      name,
      guardSwitch.describe(`\`off\` switches the guard ${name} off for this target; every run reports it.`),
    ]),
  ),
);

/** The keys that every target has, whatever its provider; all others are the provider's own. */
export const targetSchema = z.strictObject({
  name: nameSchema.describe('Unique in this config. It stands in the marker of every entry that is ours.'),
  provider: z
    .string()
    .min(1)
    .describe('The kind of firewall object, or the path of a file that exports a provider of your own.'),
  mode: z
    .enum(['enforce', 'add-only', 'observe'])
    .default('enforce')
    .describe('enforce: add and remove. add-only: never remove. observe: only report.'),
  extraCidrs: z
    .array(extraCidrSchema)
    .prefault([])
    .describe('Addresses to allow besides the published ones (an office, a bastion); at least /8 or /16.'),
  excludeCidrs: z
    .array(cidrSchema)
    .prefault([])
    .describe('Published addresses that are not to be allowed; one inside a range here is left out as well.'),
  previousNames: z
    .array(nameSchema)
    .default([])
    .describe('Names this target had before; entries with their markers count as ours.'),
  guards: guardsSchema.default({}).describe('Guards switched off for this target alone.'),
});

/** A limit that is exceeded when either number is strictly exceeded; null lifts one of them. */
function limitSchema(what: string, count: number, percent: number) {
  const lifted = 'Null lifts this limit.';
  return z
    .strictObject({
      count: z.int().min(0).max(100_000).nullable().default(count).describe(`Addresses. ${lifted}`),
      percent: z.number().min(0).max(100_000).nullable().default(percent).describe(`Percent. ${lifted}`),
    })
    .prefault({})
    .describe(`How much ${what} at once without approval; exceeded when either number is.`);
}

const limitsSchema = z.strictObject({
  minSources: z
    .int()
    .min(1)
    .max(100)
    .default(1)
    .describe('Sources that must answer before anything is added.'),
  minEntries: z.int().min(1).max(100_000).default(1).describe('A shorter list is refused.'),
  maxEntries: z.int().min(1).max(100_000).default(200).describe('A longer list is refused.'),
  minPrefixLength: z
    .strictObject({
      ipv4: z.int().min(8).max(32).default(24).describe('IPv4.'),
      ipv6: z.int().min(16).max(128).default(48).describe('IPv6.'),
    })
    .prefault({})
    .describe('A list with a broader prefix is refused.'),
  maxGrowth: limitSchema('the list may grow', 10, 50),
  maxShrink: limitSchema('the list may shrink', 5, 30),
  removalDelay: durationSchema()
    .prefault('24h')
    .describe('How long an address must have been gone from the list before it is removed; `0s` is allowed.'),
  provenance: z
    .strictObject({
      mode: z
        .enum(['require', 'warn', 'off'])
        .default('require')
        .describe(
          "What happens to a new address outside the publisher's own ranges: held, or only reported.",
        ),
      url: urlSchema
        .default('https://www.gstatic.com/ipranges/cloud.json')
        .describe("The ranges, in the form of Google's cloud.json."),
      scopes: z
        .array(z.string().min(1))
        .min(1)
        .default(['us-west1'])
        .describe('The scopes (regions) whose ranges count.'),
      sources: z
        .array(z.enum(['streamlit-docs', 'streamlit-github', 'url', 'file']))
        .default(['streamlit-docs', 'streamlit-github'])
        .describe(
          'The types of sources it speaks for; with none of them in `sources` it has nothing to say.',
        ),
      maxAge: durationSchema().prefault('30d').describe('How old a cached copy of the ranges may be.'),
      whenUnavailable: z
        .enum(['warn', 'hold'])
        .default('warn')
        .describe('Without any ranges: let the other limits decide and warn, or hold what is new.'),
      maxVouched: z
        .int()
        .min(0)
        .max(100_000)
        .default(24)
        .describe('Up to how many new addresses inside the ranges need no growth limit.'),
    })
    .prefault({})
    .describe('Whether new addresses lie where the publisher has its own.'),
  maxTargetsChanged: z
    .int()
    .min(1)
    .max(100_000)
    .nullable()
    .default(null)
    .describe('More targets changing in one run are held. Null: no limit.'),
  staleAfter: durationSchema({ min: '1s' })
    .nullable()
    .prefault(null)
    .describe('No success for this long is an alert; at least 1s. Null: three intervals of the schedule.'),
  deadline: durationSchema({ min: '1s', max: '1d' })
    .prefault('5m')
    .describe('The longest a run may take, from 1s to 1d; what is not done then is left to the next run.'),
});

const safetySchema = limitsSchema.superRefine(({ minEntries, maxEntries }, context) => {
  if (minEntries <= maxEntries) return;
  const message = `is ${minEntries}, more than maxEntries (${maxEntries}): no list could ever pass`;
  context.addIssue({ code: 'custom', path: ['minEntries'], message });
});

/** The config file but for its targets, which {@link targetSchema} and their providers look at. */
export const configSchema = z.strictObject({
  $schema: z.string().optional().describe('This schema, for editors.'),
  owner: nameSchema.describe(
    'Who this installation is. Unique: two installations with one owner would fight over the same entries.',
  ),
  sources: z
    .array(sourceSchema)
    .min(1)
    .prefault([{ type: 'streamlit-docs' }, { type: 'streamlit-github' }])
    .describe('Where the addresses are published. All that answer must agree.'),
  targets: z.array(z.unknown()).min(1).describe('The firewall objects to keep in step.'),
  schedule: z
    .strictObject({
      cron: cronSchema.default('*/15 * * * *').describe('When the daemon runs, besides once at its start.'),
      timezone: timezoneSchema.default('UTC').describe('The time zone of `cron`, by its IANA name.'),
      jitter: durationSchema({ max: '1h' })
        .prefault('0s')
        .describe(
          'Each run starts up to this much later, at most 1h, so that many installations do not ask at once.',
        ),
    })
    .prefault({})
    .describe('The schedule of the daemon.'),
  alerts: z.array(alertSchema).default([]).describe('Who is told when something changes or fails.'),
  repeatAlertsAfter: durationSchema({ min: '1m' })
    .prefault('24h')
    .describe('An alert whose cause lasts is sent again after this long, at least 1m.'),
  state: z
    .string()
    .min(1)
    .default('./state')
    .describe('The folder of the last list, the journal and the lock; relative to this file.'),
  concurrency: z.int().min(1).max(64).default(8).describe('How many targets are worked on at the same time.'),
  safety: safetySchema.prefault({}).describe('The limits of the guards.'),
});

export type Safety = z.output<typeof safetySchema>;
