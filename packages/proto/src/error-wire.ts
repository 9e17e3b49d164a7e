import { type ErrorDetails, type ErrorRecord, isErrorCode, MillraceError } from '@millrace/common';
import type { ErrorInfo } from './gen/millrace/v1/ErrorInfo.ts';

const CAUSES_MAX = 8;

/** Any thrown value, or the record of one, as a wire message. */
export function errorToWire(error: unknown): ErrorInfo {
  return recordToWire(MillraceError.toRecord(error));
}

export function recordToWire(record: ErrorRecord): ErrorInfo {
  const { details, cause, problems: _inTheText, ...plain } = record;
  return {
    ...plain,
    detailsJson: JSON.stringify(details),
    cause: cause === undefined ? null : recordToWire(cause),
  };
}

/** The inverse of errorToWire. What an unknown peer wrote is bounded and never trusted to be well-formed. */
export function recordFromWire(info: ErrorInfo, depth = CAUSES_MAX): ErrorRecord {
  const code = info.code ?? '';
  const known = isErrorCode(code);
  return {
    code: known ? code : 'INTERNAL',
    what: known ? (info.what ?? '') : `${info.what ?? ''} (unknown code ${JSON.stringify(code)})`,
    remedy: info.remedy ?? '',
    retryable: info.retryable ?? false,
    details: parseDetails(info.detailsJson ?? ''),
    stack: info.stack ?? '',
    ...(info.cause && depth > 0 ? { cause: recordFromWire(info.cause, depth - 1) } : {}),
  };
}

export function errorFromWire(info: ErrorInfo): MillraceError {
  return MillraceError.fromRecord(recordFromWire(info));
}

function parseDetails(json: string): ErrorDetails {
  try {
    const parsed: unknown = JSON.parse(json === '' ? '{}' : json);
    if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) return {};
    const entries = Object.entries(parsed).filter(([, value]) =>
      ['string', 'number', 'boolean'].includes(typeof value),
    );
    return Object.fromEntries(entries) as ErrorDetails;
  } catch {
    return {};
  }
}
