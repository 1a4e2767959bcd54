import { z } from 'zod';
import { serviceName } from '../entries.ts';
import { columns, plural, styleFor } from '../render/style.ts';
import { type Flags, loadFor, type Result, secretsOf, type Terminal } from './context.ts';

/** What `validate --output json` prints when the config is valid; see error.schema.json for when it is not. */
export const validateDocumentSchema = z.strictObject({
  version: z.literal(1),
  valid: z.literal(true),
  path: z.string().describe('The config file.'),
  owner: z.string(),
  sources: z.array(z.string()).describe('Their types.'),
  targets: z.array(
    z.strictObject({
      name: z.string(),
      provider: z.string(),
      mode: z.enum(['enforce', 'add-only', 'observe']),
      object: z.string().describe('The firewall object, in words.'),
      services: z.array(z.string()).describe('What it opens.'),
    }),
  ),
  alerts: z.array(z.string()).describe('The types of the channels.'),
  state: z.string().describe('The folder of the state.'),
  error: z.null(),
});

/** `validate`: whether the config is right, without any network and without any cloud SDK. */
export async function validate(options: Flags, terminal: Terminal): Promise<Result> {
  const config = await loadFor(options, terminal);
  const { path, owner, sources, alerts, stateDir } = config;
  const targets = config.targets.map(({ name, providerName, mode, description }) => ({
    name,
    provider: providerName,
    mode,
    object: description.object,
    services: description.services.map(serviceName),
  }));
  const style = styleFor(options.color);
  const rows = columns(
    targets.map(({ name, mode, object, services }) => ['', name, mode, object, services.join(', ')]),
  );
  const json: z.output<typeof validateDocumentSchema> = {
    version: 1,
    valid: true,
    path,
    owner,
    sources: sources.map(({ type }) => type),
    targets,
    alerts: alerts.map(({ type }) => type),
    state: stateDir,
    error: null,
  };
  return {
    exitCode: 0,
    json,
    secrets: secretsOf(config, terminal.env),
    lines: [
      `${style.green('valid')}  ${path}`,
      `  owner ${owner}, ${plural(sources.length, 'source')}, ${plural(targets.length, 'target')}, ${plural(alerts.length, 'alert channel')}`,
      ...rows.map((row) => row.join('')),
    ],
  };
}
