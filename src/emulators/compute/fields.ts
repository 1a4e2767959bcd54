import { z } from 'zod';
import { ApiError, invalidField, missingField } from './answers.ts';

const list = z.array(z.string()).readonly().nullish();
const rules = z
  .array(z.strictObject({ IPProtocol: z.string().optional(), ports: list }))
  .readonly()
  .nullish();

/** The fields of https://docs.cloud.google.com/compute/docs/reference/rest/v1/firewalls, as a client may send them. */
export const fieldsSchema = z.strictObject({
  name: z.string().nullish(),
  description: z.string().nullish(),
  network: z.string().nullish(),
  priority: z.int().nullish(),
  direction: z.enum(['INGRESS', 'EGRESS']).nullish(),
  allowed: rules,
  denied: rules,
  sourceRanges: list,
  destinationRanges: list,
  sourceTags: list,
  targetTags: list,
  sourceServiceAccounts: list,
  targetServiceAccounts: list,
  disabled: z.boolean().nullish(),
  logConfig: z.strictObject({ enable: z.boolean().nullish(), metadata: z.string().nullish() }).nullish(),
  params: z.unknown().optional(),
  // Output only: taken and ignored, so that what was read can be sent back.
  kind: z.unknown().optional(),
  id: z.unknown().optional(),
  creationTimestamp: z.unknown().optional(),
  selfLink: z.unknown().optional(),
});

export type FirewallFields = z.output<typeof fieldsSchema>;

/** Reads a request's JSON. Throws {@link ApiError} when it is none, or has a field that a rule has not. */
export function parseFields(body: string): FirewallFields {
  // Node's client sends a resource of nothing but empty lists as the JSON string "".
  if (body === '' || body === '""') throw missingField('resource');
  let data: unknown;
  try {
    data = JSON.parse(body);
  } catch {
    throw new ApiError(400, 'parseError', 'Parse Error');
  }
  const parsed = fieldsSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = issue?.path.join('.') ?? '';
  if (issue?.code === 'unrecognized_keys')
    throw new ApiError(
      400,
      'badRequest',
      `Invalid JSON payload received. Unknown name "${issue.keys[0]}"${path && ` at '${path}'`}: Cannot find field.`,
    );
  throw invalidField(path, JSON.stringify(valueAt(data, issue?.path ?? [])), issue?.message ?? '');
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
    data,
  );
}
