import { describe, expect, it } from '@jest/globals';
import { type ErrorCode, type ErrorDetails, MillraceError } from '@millrace/common';
import { streamError } from './start-positions.ts';

const RANGES = [
  { topic: 'views', partition: 0, fromOffset: 0, untilOffset: 10, topicId: 'A', leaderEpoch: 0 },
];
const AT = { topic: 'views', partition: 0, offset: 0 };

function remedyOf(code: ErrorCode, details: ErrorDetails): string | undefined {
  const told = streamError(new MillraceError(code, 'it is gone', { remedy: 'of a read', details }), RANGES);
  return MillraceError.is(told, code) ? told.remedy : undefined;
}

describe('what a task finds of a stream’s records', () => {
  it.each<[ErrorCode, ErrorDetails]>([
    ['OFFSET_OUT_OF_RANGE', { ...AT, earliest: 40 }],
    ['LOG_TRUNCATED', AT],
    ['TOPIC_RECREATED', AT],
  ])('says how to give them up: %s', (code, details) => {
    expect(remedyOf(code, details)).toContain('millrace offsets');
  });

  it.each<[string, ErrorCode, ErrorDetails]>([
    ['are not there yet', 'OFFSET_OUT_OF_RANGE', { ...AT, earliest: 0, latest: 5 }],
    ['are read outside of the stream', 'OFFSET_OUT_OF_RANGE', { ...AT, topic: 'other', earliest: 40 }],
    ['are not what failed', 'USER_CODE', AT],
  ])('keeps the remedy of the read when they %s', (_, code, details) => {
    expect(remedyOf(code, details)).toBe('of a read');
  });
});
