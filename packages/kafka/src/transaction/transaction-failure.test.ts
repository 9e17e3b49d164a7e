import { describe, expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import { BrokerFailure } from '../kafka-failure.ts';
import { KAFKA_ERROR } from '../wire/kafka-error.ts';
import { judged, refusal, StepFailure, sentOnce, verdictOf } from './transaction-failure.ts';

describe('an answer to a step of a transaction', () => {
  it.each([
    ['NONE', 'DONE'],
    ['CONCURRENT_TRANSACTIONS', 'RETRY'],
    ['NOT_COORDINATOR', 'RETRY'],
    ['COORDINATOR_LOAD_IN_PROGRESS', 'RETRY'],
    ['NOT_LEADER_OR_FOLLOWER', 'RETRY'],
    ['UNKNOWN_TOPIC_OR_PARTITION', 'RETRY'],
    ['MESSAGE_TOO_LARGE', 'ABORTABLE'],
    ['TRANSACTION_ABORTABLE', 'ABORTABLE'],
    ['TOPIC_AUTHORIZATION_FAILED', 'ABORTABLE'],
    ['OFFSET_METADATA_TOO_LARGE', 'ABORTABLE'],
    ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN'],
    ['UNKNOWN_PRODUCER_ID', 'UNKNOWN'],
    ['INVALID_TXN_STATE', 'UNKNOWN'],
    ['INVALID_PRODUCER_ID_MAPPING', 'UNKNOWN'],
    ['UNKNOWN_SERVER_ERROR', 'UNKNOWN'],
    ['PRODUCER_FENCED', 'FENCED'],
    ['INVALID_PRODUCER_EPOCH', 'FENCED'],
    ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'FATAL'],
    ['UNSUPPORTED_VERSION', 'FATAL'],
  ] as const)('%s means %s', (name, verdict) => {
    expect(verdictOf(KAFKA_ERROR[name])).toBe(verdict);
  });

  it('of a future broker means that nobody knows', () => {
    expect(verdictOf(30_000)).toBe('UNKNOWN');
  });

  it('that may change is repeated, whatever the flag of its code says', () => {
    const error = refusal(KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION, 'a step');
    expect(error).toMatchObject({ code: 'UNKNOWN_TOPIC', retryable: true });
    expect(refusal(KAFKA_ERROR.INVALID_TRANSACTION_TIMEOUT, 'a step')).toMatchObject({
      verdict: 'FATAL',
      error: { code: 'CONFIG_INVALID', details: { kafkaError: 'INVALID_TRANSACTION_TIMEOUT' } },
    });
  });

  it('that does not come, or cannot be read, leaves the step unknown', async () => {
    const lost = new BrokerFailure('b:1', 'the connection is closed', undefined);
    const garbage = new MillraceError('KAFKA_PROTOCOL', 'a message ends at byte 3');
    for (const thrown of [lost, garbage]) {
      const failure = await sentOnce('a step', () => Promise.reject(thrown)).catch((error: unknown) => error);
      expect(failure).toMatchObject({ verdict: 'UNKNOWN', error: { code: 'TRANSACTION_UNKNOWN' } });
    }
  });

  it('is judged once', () => {
    const known = new StepFailure('FENCED', new MillraceError('PRODUCER_FENCED', 'fenced'));
    expect(judged(known, 'a step')).toBe(known);
    expect(judged(new MillraceError('CANCELLED', 'closed'), 'a step')).toMatchObject({
      verdict: 'UNKNOWN',
      error: { code: 'CANCELLED' },
    });
  });
});
