import { Metadata, type ServiceError, type StatusObject, status } from '@grpc/grpc-js';
import { type ErrorCode, type ErrorRecord, MillraceError, messageOf } from '@millrace/common';
import protobuf from 'protobufjs/light.js';
import { errorFromWire, recordToWire } from './error-wire.ts';
import { servicesDescriptor } from './gen/services-descriptor.ts';

/** Trailing metadata of a failed call: our error as an encoded ErrorInfo. */
export const ERROR_METADATA = 'millrace-error-bin';
// HTTP/2 header blocks are bounded (16 KiB with many peers, base64 included): the stack goes first, then causes, then length.
const ERROR_BYTES_MAX = 6 * 1024;
const TEXT_MAX = 2_000;

const errorInfo = protobuf.Root.fromJSON(servicesDescriptor).lookupType('millrace.v1.ErrorInfo');

const STATUS_OF: Partial<Record<ErrorCode, status>> = {
  UNAUTHENTICATED: status.UNAUTHENTICATED,
  PERMISSION_DENIED: status.PERMISSION_DENIED,
  APPLICATION_UNKNOWN: status.NOT_FOUND,
  PROGRAM_MISSING: status.NOT_FOUND,
  BLOCK_MISSING: status.NOT_FOUND,
  APPLICATION_EXISTS: status.ALREADY_EXISTS,
  VERSION_MISMATCH: status.FAILED_PRECONDITION,
  MESSAGE_TOO_LARGE: status.RESOURCE_EXHAUSTED,
  DEADLINE_EXCEEDED: status.DEADLINE_EXCEEDED,
  CANCELLED: status.CANCELLED,
};

/** The gRPC status that a server ends a call with, our typed error in its trailing metadata. */
export function statusOf(error: unknown): StatusObject {
  const ours = MillraceError.from(error, 'INTERNAL');
  const metadata = new Metadata();
  metadata.set(ERROR_METADATA, encodeBounded(MillraceError.toRecord(ours)));
  const code = STATUS_OF[ours.code] ?? (ours.domain === 'user' ? status.INVALID_ARGUMENT : status.INTERNAL);
  return { code, details: headerText(ours.message), metadata };
}

function encodeBounded(record: ErrorRecord): Buffer {
  const { cause: _cause, ...alone } = record;
  const short = {
    ...alone,
    what: record.what.slice(0, TEXT_MAX),
    remedy: record.remedy.slice(0, TEXT_MAX / 2),
    stack: '',
  };
  const withoutStacks = JSON.parse(
    JSON.stringify(record, (key, value: unknown) => (key === 'stack' ? '' : value)),
  ) as ErrorRecord;
  for (const candidate of [record, withoutStacks, short]) {
    const bytes = errorInfo.encode(recordToWire(candidate)).finish();
    if (bytes.length <= ERROR_BYTES_MAX) return Buffer.from(bytes);
  }
  return Buffer.from(errorInfo.encode(recordToWire({ ...short, details: {} })).finish());
}

/** Status details travel percent-encoded in a header. */
function headerText(message: string): string {
  return message.slice(0, TEXT_MAX / 2);
}

/**
 * What a failed call means: the server's own typed error when it sent one, else an error of ours that names `what`
 * ("the driver at localhost:7077", "submit to …").
 */
export function grpcStatusToError(error: unknown, what: string): MillraceError {
  if (MillraceError.is(error)) return error;
  const failed = error as Partial<ServiceError>;
  const sent = failed.metadata?.get?.(ERROR_METADATA)[0];
  if (sent !== undefined && typeof sent !== 'string') {
    try {
      return errorFromWire(errorInfo.toObject(errorInfo.decode(sent), { defaults: true }));
    } catch {
      // A peer that is not ours wrote that key: the status below says what is known.
    }
  }
  const text = failed.details === undefined || failed.details === '' ? messageOf(error) : failed.details;
  const { code, remedy = '' }: Meaning = MEANING_OF[failed.code ?? status.UNKNOWN] ?? { code: 'INTERNAL' };
  return new MillraceError(code, `${what}: ${text}`, { cause: error, remedy });
}

interface Meaning {
  readonly code: ErrorCode;
  readonly remedy?: string;
}

const MEANING_OF: Partial<Record<status, Meaning>> = {
  [status.UNAVAILABLE]: {
    code: 'DRIVER_UNREACHABLE',
    remedy: 'Check that it runs, that the address is right, and that both sides use TLS or neither.',
  },
  [status.UNAUTHENTICATED]: {
    code: 'UNAUTHENTICATED',
    remedy: 'Give the token that the driver was started with.',
  },
  [status.PERMISSION_DENIED]: { code: 'PERMISSION_DENIED' },
  [status.RESOURCE_EXHAUSTED]: { code: 'MESSAGE_TOO_LARGE' },
  [status.DEADLINE_EXCEEDED]: { code: 'DEADLINE_EXCEEDED' },
  [status.CANCELLED]: { code: 'CANCELLED' },
  [status.UNIMPLEMENTED]: {
    code: 'VERSION_MISMATCH',
    remedy: 'Run the same version of Millrace on both sides.',
  },
  [status.INVALID_ARGUMENT]: { code: 'BAD_REQUEST' },
  [status.NOT_FOUND]: { code: 'BAD_REQUEST' },
  [status.FAILED_PRECONDITION]: { code: 'BAD_REQUEST' },
};
