import { z } from 'zod';
import { ERROR_CODES } from '../errors.ts';

/** What `demo --output json` prints, version 1. */
export const demoDocumentSchema = z
  .strictObject({
    version: z.literal(1).describe('The version of this form.'),
    command: z.literal('demo'),
    steps: z
      .array(
        z.strictObject({
          name: z.string().describe('The same in every version.'),
          ok: z.boolean().describe('Whether it went as told.'),
          exitCode: z
            .int()
            .nullable()
            .describe('Of the tool in this step; null when it did not come so far.'),
          detail: z.string().describe('What was seen to be so; of a step that failed, what was expected.'),
        }),
      )
      .describe('The steps that were played. The demo ends with the first that does not go as told.'),
    exitCode: z.int().describe('0, or 1 when a step did not go as told.'),
    error: z
      .strictObject({
        code: z.enum(ERROR_CODES).describe('From the catalogue in docs/errors.md.'),
        message: z.string(),
        hint: z.string(),
      })
      .nullable(),
  })
  .describe('The steps of the demo, and whether each went as told.');

export type DemoDocument = z.output<typeof demoDocumentSchema>;
export type PlayedStep = DemoDocument['steps'][number];
