import { invalidValue, Rejection } from './rejection.ts';

/**
 * Reads the flat form of the EC2 Query protocol (`IpPermissions.1.IpRanges.2.CidrIp=…`) and remembers what was read,
 * so that {@link Query.finish} can refuse what nobody asked for.
 * https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html
 */
export class Query {
  readonly #fields: ReadonlyMap<string, string>;
  readonly #read: Set<string>;
  readonly #prefix: string;

  constructor(fields: ReadonlyMap<string, string>, read = new Set<string>(), prefix = '') {
    this.#fields = fields;
    this.#read = read;
    this.#prefix = prefix;
  }

  text(name: string): string | undefined {
    const key = this.#prefix + name;
    this.#read.add(key);
    return this.#fields.get(key);
  }

  /** Throws `MissingParameter` when there is none or an empty one. */
  required(name: string): string {
    const value = this.text(name);
    if (!value) throw missing(this.#prefix + name);
    return value;
  }

  integer(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (!/^-?\d{1,9}$/.test(value))
      throw invalidValue(`Value (${value}) for parameter ${this.#prefix}${name} is invalid. Not an integer.`);
    return Number(value);
  }

  flag(name: string): boolean {
    return this.text(name) === 'true';
  }

  /** `Name.1`, `Name.2` and so on, in the order of their numbers. */
  list(name: string): string[] {
    return this.#numbers(name).flatMap((number) => this.text(`${name}.${number}`) ?? []);
  }

  /** A reader for each structure under `Name.1.`, `Name.2.` and so on. */
  items(name: string): Query[] {
    return this.#numbers(name).map((number) => this.within(`${name}.${number}`));
  }

  /** A reader for the structure under `Name.`. */
  within(name: string): Query {
    return new Query(this.#fields, this.#read, `${this.#prefix}${name}.`);
  }

  has(name: string): boolean {
    const prefix = `${this.#prefix}${name}`;
    return [...this.#fields.keys()].some((key) => key === prefix || key.startsWith(`${prefix}.`));
  }

  /** Throws `UnknownParameter` for the first field that was not read (recorded: https://github.com/appoxy/aws/issues/32). */
  finish(): void {
    for (const key of this.#fields.keys()) {
      if (!this.#read.has(key))
        throw new Rejection('UnknownParameter', `The parameter ${key} is not recognized`);
    }
  }

  #numbers(name: string): number[] {
    const prefix = `${this.#prefix}${name}.`;
    const numbers = new Set<number>();
    for (const key of this.#fields.keys()) {
      if (!key.startsWith(prefix)) continue;
      const number = key.slice(prefix.length).split('.')[0] ?? '';
      if (/^[1-9]\d{0,5}$/.test(number)) numbers.add(Number(number));
    }
    return [...numbers].sort((a, b) => a - b);
  }
}

export function parseForm(body: string): Query {
  return new Query(new Map(new URLSearchParams(body)));
}

/** `MissingParameter`: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html */
export function missing(name: string): Rejection {
  return new Rejection('MissingParameter', `The request must contain the parameter ${name}`);
}
