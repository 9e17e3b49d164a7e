import { stackPlace } from '@millrace/api/internal';
import {
  type ErrorCode,
  type ErrorDetails,
  framesOf,
  MillraceError,
  placed,
  stackOf,
  thrownText,
} from '@millrace/common';

interface UserErrorOptions {
  readonly remedy: string;
  readonly details?: ErrorDetails;
  /** When the stack tells none of the job's. */
  readonly place?: string;
}

/** As many as cross a process boundary. */
const CAUSES_MAX = 5;

/**
 * What code of the job threw on the driver, with its class, its stack, its causes, and where it was thrown: places of the bundle,
 * which `programErrors` moves to the user's sources. `what`: what ran ("foreachRDD"). An error of ours keeps what it says.
 */
export function userError(
  thrown: unknown,
  code: ErrorCode,
  what: string,
  { remedy, details = {}, place = '' }: UserErrorOptions,
): MillraceError {
  // A mistake in calling the API: where it was called.
  if (MillraceError.is(thrown)) return thrown.domain === 'user' ? placed(thrown, placeOf(thrown)) : thrown;
  return thrownError(thrown, code, `${what} threw ${thrownText(thrown)}`, {
    remedy,
    details,
    place: placeOf(thrown) || place,
    seen: new Set(),
  });
}

interface ThrownOptions {
  readonly remedy: string;
  readonly details: ErrorDetails;
  readonly place: string;
  /** A cause may lead back to where it came from. */
  readonly seen: Set<unknown>;
}

function thrownError(
  thrown: unknown,
  code: ErrorCode,
  text: string,
  { remedy, details, place, seen }: ThrownOptions,
): MillraceError {
  const cause = causeError(thrown, seen);
  const error = new MillraceError(code, text, {
    remedy,
    details: { ...details, ...(place === '' ? {} : { place }) },
    ...(cause ? { cause } : {}),
  });
  const frames = framesOf(thrown);
  if (frames !== '') error.stack = `${error.name}: ${error.message}\n${frames}`;
  return error;
}

function causeError(thrown: unknown, seen: Set<unknown>): MillraceError | undefined {
  seen.add(thrown);
  const cause = causeOf(thrown);
  if (cause === undefined || cause === null || seen.has(cause) || seen.size > CAUSES_MAX) return undefined;
  if (MillraceError.is(cause)) return cause;
  const options = { remedy: '', details: {}, place: placeOf(cause), seen };
  return thrownError(cause, 'USER_CODE', thrownText(cause), options);
}

/** Of several that were thrown together (Promise.any) the first. */
function causeOf(thrown: unknown): unknown {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  const { cause, errors } = thrown as { readonly cause?: unknown; readonly errors?: unknown };
  return cause ?? (Array.isArray(errors) ? (errors as readonly unknown[])[0] : undefined);
}

function placeOf(thrown: unknown): string {
  return stackPlace(stackOf(thrown));
}
