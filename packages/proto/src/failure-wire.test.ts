import { describe, expect, it } from '@jest/globals';
import { ERROR_CODES, type ErrorCode, MillraceError } from '@millrace/common';
import protobuf from 'protobufjs/light.js';
import { errorFromWire, errorToWire } from './error-wire.ts';
import { failureFromWire, failureKind, failureToWire } from './failure-wire.ts';
import { servicesDescriptor } from './gen/services-descriptor.ts';
import type { TaskFailure } from './messages.ts';

const codes = Object.keys(ERROR_CODES) as ErrorCode[];
const failureType = protobuf.Root.fromJSON(servicesDescriptor).lookupType('millrace.v1.TaskFailure');

function sample(code: ErrorCode): MillraceError {
  return new MillraceError(code, `what happened: ü 😀 of ${code}`, {
    remedy: 'Do this.',
    retryable: !ERROR_CODES[code].retryable,
    details: {
      topic: 'views',
      partition: 3,
      fromOffset: 2 ** 53 - 1,
      last: false,
      exitCode: 7,
      signal: 'SIGKILL',
    },
    cause: new MillraceError('KAFKA_PROTOCOL', 'inner', {
      cause: new MillraceError('INTERNAL', 'innermost'),
    }),
  });
}

describe('failures on the wire', () => {
  it.each(codes)('keep everything of %s, causes included, through bytes', (code) => {
    const error = sample(code);
    const bytes = failureType.encode(failureType.fromObject(failureToWire(error))).finish();
    const wire = failureType.toObject(failureType.decode(bytes), {
      defaults: true,
      oneofs: true,
    }) as TaskFailure;
    const back = failureFromWire(wire);
    expect(wire.kind).toBe(failureKind(code));
    expect(MillraceError.toRecord(back)).toEqual(MillraceError.toRecord(error));
    expect(back.retryable).toBe(error.retryable);
  });

  it.each(codes)('keep everything of %s as an ErrorInfo', (code) => {
    const error = sample(code);
    expect(MillraceError.toRecord(errorFromWire(errorToWire(error)))).toEqual(MillraceError.toRecord(error));
  });

  it('put cancellations, dead slots and lost blocks into arms of their own', () => {
    expect(failureToWire(new MillraceError('TASK_KILLED', 'x')).cancelled?.error?.code).toBe('TASK_KILLED');
    expect(
      failureToWire(new MillraceError('SLOT_LOST', 'x', { details: { exitCode: 3, signal: 'SIGABRT' } }))
        .slot,
    ).toMatchObject({ exitCode: 3, signal: 'SIGABRT' });
    expect(
      failureToWire(
        new MillraceError('BLOCK_MISSING', 'x', { details: { blockId: 'b-1', executorId: 'e-1' } }),
      ).fetch,
    ).toMatchObject({ blockId: 'b-1', executorId: 'e-1' });
  });

  it('take what is not one of our errors as a bug of ours', () => {
    expect(failureToWire(new TypeError('x is undefined')).internal?.error).toMatchObject({
      code: 'INTERNAL',
      what: 'x is undefined',
    });
    expect(failureFromWire(failureToWire('thrown text')).what).toBe('thrown text');
  });

  it('survive a peer that writes nonsense', () => {
    expect(failureFromWire({}).code).toBe('INTERNAL');
    const odd = errorFromWire({ code: 'FROM_THE_FUTURE', what: 'later', detailsJson: '{"a":{"b":1},"c":1' });
    expect(odd.code).toBe('INTERNAL');
    expect(odd.message).toContain('FROM_THE_FUTURE');
    expect(odd.details).toEqual({});
    expect(errorFromWire({ code: 'INTERNAL', detailsJson: '{"a":{"b":1},"c":1}' }).details).toEqual({ c: 1 });
    expect(errorFromWire({ code: 'toString', what: 'x' }).code).toBe('INTERNAL');
  });
});
