/** The parts of the documentation that are made from the code, as Markdown. */
import { PROVIDER_NAMES } from '../../providers/index.ts';
import { ALERT_TYPES, REASONS } from '../../src/alerts/types.ts';
import { CAUSES } from '../../src/drift.ts';
import { buildSchemas, type JsonSchema } from '../../src/schemas.ts';
import { WARNINGS } from '../../src/warnings.ts';

/** Every generated part by its name. */
export async function makeReference(): Promise<ReadonlyMap<string, string>> {
  const schemas = await buildSchemas();
  const config = schemaNamed(schemas, 'config.schema.json');
  const webhook = schemaNamed(schemas, 'webhook.schema.json');
  const { sources, targets, safety, schedule, alerts, ...top } = config.properties ?? {};
  const common = alternativeFor(targets, undefined);
  const providers = PROVIDER_NAMES.map((name): [string, string] => {
    const { properties = {}, required = [] } = alternativeFor(targets, name);
    const own = Object.entries(properties).filter(([key]) => !Object.hasOwn(common.properties ?? {}, key));
    return [`provider ${name}`, keyTable({ properties: Object.fromEntries(own), required })];
  });
  return new Map([
    ['causes', wordTable('cause', CAUSES)],
    ['warnings', wordTable('code', WARNINGS)],
    ['alert types', wordTable('type', ALERT_TYPES)],
    ['alert reasons', wordTable('reason', REASONS)],
    ['webhook document', keyTable(webhook, { defaults: false })],
    [
      'config',
      keyTable({
        properties: { ...top, ...shallow({ sources, targets, schedule, alerts, safety }) },
        required: config.required ?? [],
      }),
    ],
    ['config sources', typeTables(sources)],
    ['config targets', keyTable(common)],
    ['config safety', keyTable(asSchema(safety))],
    ['config schedule', keyTable(asSchema(schedule))],
    ['config alerts', typeTables(alerts)],
    ...providers,
  ]);
}

function schemaNamed(schemas: ReadonlyMap<string, string>, name: string): JsonSchema {
  return JSON.parse(schemas.get(name) ?? '{}');
}

type Part = JsonSchema['items'] | boolean;

function asSchema(part: Part): JsonSchema {
  return typeof part === 'object' && !Array.isArray(part) ? part : {};
}

/** The shape of a target with this provider; without a name, that of a provider which the schema does not know. */
function alternativeFor(targets: Part, name: string | undefined): JsonSchema {
  const alternatives = asSchema(asSchema(targets).items).oneOf ?? [];
  return asSchema(
    alternatives.find((one) => asSchema(asSchema(one).properties?.provider).const === name) ?? {},
  );
}

/** One table for each type of a list of things with a `type`. */
function typeTables(list: Part): string {
  const types = asSchema(asSchema(list).items).oneOf ?? [];
  return types
    .map((one) => {
      const { type, ...properties } = asSchema(one).properties ?? {};
      const { const: name, description = '' } = asSchema(type);
      return `\`"type": "${name}"\`: ${description}\n\n${keyTable({ ...asSchema(one), properties })}`;
    })
    .join('\n\n');
}

/** Parts with a section of their own: what is in them is told there. */
function shallow(parts: Record<string, Part | undefined>): Record<string, JsonSchema> {
  return Object.fromEntries(
    Object.entries(parts).map(([key, part]) => {
      const { properties: _, items: __, ...rest } = asSchema(part ?? {});
      return [key, { ...rest, description: `${rest.description} See below.` }];
    }),
  );
}

interface TableOptions {
  readonly defaults?: boolean;
}

function keyTable(schema: JsonSchema, { defaults = true }: TableOptions = {}): string {
  const head = ['key', 'value', ...(defaults ? ['default'] : []), 'what it is'];
  return table(
    head,
    rowsOf(schema, '').map(({ key, value, fallback, what }) => [
      `\`${key}\``,
      value,
      ...(defaults ? [fallback] : []),
      what,
    ]),
  );
}

interface Row {
  readonly key: string;
  readonly value: string;
  readonly fallback: string;
  readonly what: string;
}

function rowsOf(schema: JsonSchema, prefix: string): Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, part]) => {
    const key = prefix + name;
    const node = asSchema(part);
    const inner = Object.keys(node.properties ?? {});
    const isSwitches =
      inner.length > 0 && inner.every((one) => asSchema(node.properties?.[one]).const === 'off');
    if (inner.length > 0 && !isSwitches) return rowsOf(node, `${key}.`);
    const needed = schema.required?.includes(name) ?? false;
    const list = asSchema(node.items);
    return [
      {
        key,
        value: isSwitches ? `object: the name of a guard, and \`"off"\`` : shownValue(node),
        fallback:
          node.default !== undefined ? `\`${JSON.stringify(node.default)}\`` : needed ? 'required' : 'none',
        what: node.description ?? '',
      },
      ...(list.properties ? rowsOf(list, `${key}[].`) : []),
    ];
  });
}

const DURATION = '^(0|[1-9]\\d{0,8})([smhd])$';

function shownValue(node: JsonSchema): string {
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``;
  if (node.enum) return node.enum.map((one) => `\`${JSON.stringify(one)}\``).join(', ');
  const choices = node.anyOf ?? node.oneOf;
  if (choices) return [...new Set(choices.map((one) => shownValue(asSchema(one))))].join(' or ');
  switch (node.type) {
    case 'string':
      if (node.pattern === DURATION) return 'duration';
      if (node.format === 'date-time') return 'time (ISO 8601, UTC)';
      if (node.minLength !== undefined && node.minLength > 1)
        return `text, at least ${node.minLength} characters`;
      return node.maxLength === undefined ? 'text' : `text, at most ${node.maxLength} characters`;
    case 'integer':
    case 'number':
      return `${node.type === 'integer' ? 'whole number' : 'number'}, ${node.minimum ?? ''} to ${node.maximum ?? ''}`;
    case 'boolean':
      return '`true` or `false`';
    case 'array': {
      const item = asSchema(node.items);
      const what =
        item.type === 'string' && !item.enum ? '' : ` of ${item.properties ? 'objects' : shownValue(item)}`;
      const most = node.maxItems === undefined ? '' : `, at most ${node.maxItems}`;
      return `list${Object.keys(item).length > 0 ? what : ''}${node.minItems ? ', at least 1' : ''}${most}`;
    }
    case 'null':
      return '`null`';
    default:
      return 'object';
  }
}

function wordTable(head: string, words: Readonly<Record<string, string>>): string {
  return table(
    [head, 'meaning'],
    Object.entries(words).map(([word, meaning]) => [`\`${word}\``, meaning]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replace(/\s+/g, ' ').replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
