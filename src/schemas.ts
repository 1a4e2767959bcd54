import { z } from 'zod';
import { loadProvider, PROVIDER_NAMES } from '../providers/index.ts';
import { webhookDocumentSchema } from './alerts/webhook.ts';
import { daemonDocumentSchema } from './commands/daemon.ts';
import { heldDocumentSchema } from './commands/held.ts';
import { historyDocumentSchema } from './commands/history.ts';
import { removeDocumentSchema } from './commands/remove.ts';
import { validateDocumentSchema } from './commands/validate.ts';
import { configSchema, targetSchema } from './config/schema.ts';
import { demoDocumentSchema } from './demo/document.ts';
import { errorDocumentSchema } from './failure.ts';
import { egressSchema, reportSchema } from './report.ts';

/** A JSON schema document. Draft 7, since that is what editors know best. */
export type JsonSchema = z.core.JSONSchema.JSONSchema;

/** Every file in schema/, and what makes it. A new document is one line here. */
const DOCUMENTS: Readonly<Record<string, () => JsonSchema | Promise<JsonSchema>>> = {
  'config.schema.json': configDocument,
  'report.schema.json': () => documentOf(reportSchema, 'allowlist-sync sync, check', 'output'),
  'sources.schema.json': () => documentOf(egressSchema, 'allowlist-sync sources', 'output'),
  'history.schema.json': () => documentOf(historyDocumentSchema, 'allowlist-sync history', 'output'),
  'remove.schema.json': () => documentOf(removeDocumentSchema, 'allowlist-sync remove', 'output'),
  'held.schema.json': () => documentOf(heldDocumentSchema, 'allowlist-sync held', 'output'),
  'validate.schema.json': () => documentOf(validateDocumentSchema, 'allowlist-sync validate', 'output'),
  'demo.schema.json': () => documentOf(demoDocumentSchema, 'allowlist-sync demo', 'output'),
  'daemon.schema.json': () => documentOf(daemonDocumentSchema, 'allowlist-sync daemon', 'output'),
  'error.schema.json': () => documentOf(errorDocumentSchema, 'allowlist-sync: what failed', 'output'),
  'webhook.schema.json': () => documentOf(webhookDocumentSchema, 'allowlist-sync alerts', 'output'),
};

/** The text of every file in schema/, by its name. Loads the providers, but no cloud SDK. */
export async function buildSchemas(): Promise<Map<string, string>> {
  const built = new Map<string, string>();
  for (const [name, make] of Object.entries(DOCUMENTS)) {
    built.set(name, `${JSON.stringify(await make(), null, 2)}\n`);
  }
  return built;
}

/** What people write (`input`: defaults may be left out) or what we print (`output`), as a document. */
function documentOf(schema: z.ZodType, title: string, io: 'input' | 'output'): JsonSchema {
  const { $schema, ...rest } = z.toJSONSchema(schema, { target: 'draft-7', io });
  return { ...($schema ? { $schema } : {}), title, ...rest };
}

/** The config file: the common part, and under `targets` one alternative for each provider. */
async function configDocument(): Promise<JsonSchema> {
  const document = documentOf(configSchema, 'allowlist-sync config', 'input');
  const alternatives: JsonSchema[] = [];
  for (const name of PROVIDER_NAMES) {
    const { options } = await loadProvider(name, '.');
    alternatives.push(withCommonKeys(documentOf(options, name, 'input'), { const: name }));
  }
  const thirdParty = { type: 'object', additionalProperties: true } as const;
  alternatives.push(
    withCommonKeys(
      { title: 'a provider of your own', ...thirdParty },
      { type: 'string', pattern: '^npm:|[./\\\\]' },
    ),
  );
  const { targets } = document.properties ?? {};
  const items = { oneOf: alternatives };
  return {
    ...document,
    properties: {
      ...document.properties,
      targets: { ...(typeof targets === 'object' ? targets : {}), items },
    },
  };
}

/** The options of one provider with the keys that all targets share, in every alternative it has. */
function withCommonKeys(options: JsonSchema, provider: JsonSchema): JsonSchema {
  const { $schema, anyOf, oneOf, ...rest } = options;
  if (anyOf) return { ...rest, anyOf: anyOf.map((branch) => withCommonKeys(branch, provider)) };
  if (oneOf) return { ...rest, oneOf: oneOf.map((branch) => withCommonKeys(branch, provider)) };
  const common = documentOf(targetSchema, 'target', 'input');
  const { description } = asObject(common.properties?.provider);
  return {
    ...rest,
    properties: {
      ...common.properties,
      provider: { ...provider, ...(description ? { description } : {}) },
      ...rest.properties,
    },
    required: [...(common.required ?? []), ...(rest.required ?? [])],
  };
}

function asObject(schema: z.core.JSONSchema._JSONSchema | undefined): JsonSchema {
  return typeof schema === 'object' ? schema : {};
}
