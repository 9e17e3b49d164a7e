export { assertNever, invariant } from './assert-never.ts';
export type { Brand } from './brand.ts';
export { type Clock, systemClock, type Timer } from './clock.ts';
export {
  type ConfigEntry,
  type ConfigSchema,
  checkConfig,
  custom,
  duration,
  flag,
  integer,
  oneOf,
  optional,
  type Resolved,
  resolveConfig,
  text,
  whyRefused,
} from './config.ts';
export { CRASH_POINT_VARIABLE, CRASH_POINTS, type CrashPoint, crashPoint } from './crash-point.ts';
export { withDeadline } from './deadline.ts';
export { type Duration, durationMs, minutes, ms, seconds } from './duration.ts';
export { ERROR_CODES, type ErrorCode, type ErrorDomain, isErrorCode } from './error-codes.ts';
export { isAlive } from './is-alive.ts';
export { createLogger, type Logger, type LogOptions, silentLogger } from './logger.ts';
export {
  type ErrorDetails,
  type ErrorRecord,
  MillraceError,
  type MillraceErrorOptions,
  messageOf,
  stackOf,
} from './millrace-error.ts';
export { nearestName, unknownOption } from './nearest-name.ts';
export { type OrphanReaper, startOrphanReaper } from './orphan-reaper.ts';
export { placed, problemsError, problemsOf } from './problems.ts';
export { type Random, randomInt, seededRandom, systemRandom } from './random.ts';
export { type TransitionTable, transition } from './state-machine.ts';
export { framesOf, thrownText } from './thrown.ts';
export { unlessAborted } from './unless-aborted.ts';
export { MILLRACE_VERSION, NODE_MAJOR, PROTOCOL_VERSION, sameApi } from './versions.ts';
