import { z } from 'zod';

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DURATION = /^(0|[1-9]\d{0,8})([smhd])$/;

/** The longest duration that is taken: ten years, in milliseconds. */
export const MAX_DURATION_MS = 3650 * UNITS.d;

/**
 * Milliseconds of `30s`, `15m`, `24h` or `7d`: one whole number and one unit, nothing else. Undefined for any
 * other text, and for more than {@link MAX_DURATION_MS}.
 */
export function parseDuration(text: string): number | undefined {
  const [, count, unit] = DURATION.exec(text) ?? [];
  if (count === undefined || !isUnit(unit)) return undefined;
  const ms = Number(count) * UNITS[unit];
  return ms <= MAX_DURATION_MS ? ms : undefined;
}

/**
 * The shortest text that {@link parseDuration} reads back as the same time: the largest unit that fits exactly
 * (`5400000` is `90m`). Parts of a second are rounded. Throws `RangeError` outside 0 to {@link MAX_DURATION_MS}.
 */
export function formatDuration(ms: number): string {
  if (!(ms >= 0 && ms <= MAX_DURATION_MS)) throw new RangeError(`no duration: ${ms} ms`);
  const rounded = Math.round(ms / UNITS.s) * UNITS.s;
  for (const unit of ['d', 'h', 'm'] as const) {
    if (rounded > 0 && rounded % UNITS[unit] === 0) return `${rounded / UNITS[unit]}${unit}`;
  }
  return `${rounded / UNITS.s}s`;
}

/** A duration in the config: text in, milliseconds out. `min` and `max` are durations too, and may be reached. */
export function durationSchema(limits: { min?: string; max?: string } = {}) {
  const { min = '0s', max = formatDuration(MAX_DURATION_MS) } = limits;
  const [least, most] = [parseDuration(min) ?? 0, parseDuration(max) ?? MAX_DURATION_MS];
  return z
    .string()
    .regex(DURATION, 'must be a duration such as 30s, 15m, 24h or 7d')
    .transform((text, context) => {
      const ms = parseDuration(text);
      if (ms !== undefined && ms >= least && ms <= most) return ms;
      context.addIssue({ code: 'custom', message: `must be a duration from ${min} to ${max}` });
      return z.NEVER;
    });
}

function isUnit(text: string | undefined): text is keyof typeof UNITS {
  return text !== undefined && Object.hasOwn(UNITS, text);
}
