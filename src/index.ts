/**
 * The library: what the command line does, for programs that bring their own schedule or providers.
 *
 * `loadConfig` reads a config, `run` makes one pass (hold the lock of the state around one that writes) and gives
 * the report that `--output json` prints. A provider of your own is written against `allowlist-sync/provider`.
 */

export { type Cidr, familyOf, parseCidr, sortCidrs } from './cidr.ts';
export { type Clock, systemClock } from './clock.ts';
export { type Config, loadConfig, type Target } from './config.ts';
export {
  CatalogueError,
  ConflictError,
  ERROR_CODES,
  type ErrorInfo,
  FatalError,
  TransientError,
} from './errors.ts';
export type { Pass, PassEvent, World } from './pass.ts';
export type { EgressReport, Report, SourceReport, TargetReport } from './report.ts';
export { run } from './run.ts';
export { withLock } from './state/lock.ts';
export { openStore, type Store } from './state/store.ts';
