import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import { expect } from 'vitest';
import { z } from 'zod';
import type { Report } from '../../src/report.ts';
import type { Ran } from '../support/cli.ts';

/** The published documents, by the names of their files in schema/. */
export type DocumentName =
  | 'report'
  | 'sources'
  | 'history'
  | 'held'
  | 'validate'
  | 'remove'
  | 'daemon'
  | 'demo'
  | 'error';

// Formats are for readers of the schema: the values come from code that can write no other.
const ajv = new Ajv({ strict: true, strictTypes: false, allowUnionTypes: true, validateFormats: false });
const compiled = new Map<DocumentName, ValidateFunction>();

function validatorOf(name: DocumentName): ValidateFunction {
  const known = compiled.get(name);
  if (known) return known;
  const url = new URL(`../../schema/${name}.schema.json`, import.meta.url);
  const made = ajv.compile(JSON.parse(readFileSync(url, 'utf8')));
  compiled.set(name, made);
  return made;
}

/** stdout as the published document of this name; fails when it is not exactly one. */
export function documentOf(ran: Ran, name: DocumentName): unknown {
  const document = ran.json();
  const validate = validatorOf(name);
  expect(validate(document), `${name}: ${ajv.errorsText(validate.errors)}`).toBe(true);
  return document;
}

/** stdout as the report of `sync` or `check`, whose exit code is the one the process ended with. */
export function reportOf(ran: Ran): Report {
  const document = documentOf(ran, 'report');
  const report = z.custom<Report>(() => true).parse(document);
  expect(report.exitCode).toBe(ran.code);
  return report;
}

/** The error in the document, whichever it is; the process ended with the document's exit code. */
export function errorOf(ran: Ran, name: 'report' | 'error'): { code: string; message: string; hint: string } {
  const shape = z.looseObject({
    exitCode: z.int(),
    error: z.object({ code: z.string(), message: z.string(), hint: z.string() }),
  });
  const { exitCode, error } = shape.parse(documentOf(ran, name));
  expect(exitCode).toBe(ran.code);
  return error;
}

/** Nobody is shown where in our code something happened. */
export function expectNoStack({ stdout, stderr }: Ran): void {
  expect(stdout + stderr).not.toMatch(/^\s+at .*\d+:\d+\)?$/m);
  expect(stdout + stderr).not.toMatch(/node:internal|\(node:\d+\)/);
}
