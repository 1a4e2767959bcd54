/** Checks of a fetched list. The first four refuse; the others hold, and can be approved. */
export const LIST_GUARDS = [
  'min-entries',
  'max-entries',
  'special-addresses',
  'prefix-length',
  'growth',
  'shrink',
  'provenance',
] as const;

/** Checks of the changes planned for the targets. */
export const PLAN_GUARDS = ['capacity', 'shrink', 'blast-radius', 'adoption'] as const;

/** `shrink` looks twice, at the list and at what one target would lose. */
export const GUARD_NAMES = [...LIST_GUARDS, 'capacity', 'blast-radius', 'adoption'] as const;

export type GuardName = (typeof GUARD_NAMES)[number];
