import { serviceName } from '../entries.ts';
import { columns, plural, styleFor } from '../render/style.ts';
import { type Flags, loadFor, type Result, type Terminal } from './context.ts';

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
  return {
    exitCode: 0,
    json: {
      version: 1,
      valid: true,
      path,
      owner,
      sources: sources.map(({ type }) => type),
      targets,
      alerts: alerts.map(({ type }) => type),
      state: stateDir,
      error: null,
    },
    lines: [
      `${style.green('valid')}  ${path}`,
      `  owner ${owner}, ${plural(sources.length, 'source')}, ${plural(targets.length, 'target')}, ${plural(alerts.length, 'alert channel')}`,
      ...rows.map((row) => row.join('')),
    ],
  };
}
