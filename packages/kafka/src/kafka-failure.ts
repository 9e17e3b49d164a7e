import { type ErrorCode, type ErrorDetails, MillraceError, messageOf } from '@millrace/common';
import { isRetryableKafkaError, KAFKA_ERROR, kafkaErrorName } from './wire/kafka-error.ts';

/** One broker could not be reached, closed the connection or did not answer in time: another attempt may find it, or another. */
export class BrokerFailure extends Error {
  constructor(address: string, what: string, cause: unknown) {
    super(`${address}: ${what}`, { cause });
    this.name = 'BrokerFailure';
  }
}

const CODES: Readonly<Record<number, ErrorCode>> = {
  [KAFKA_ERROR.OFFSET_OUT_OF_RANGE]: 'OFFSET_OUT_OF_RANGE',
  [KAFKA_ERROR.CORRUPT_MESSAGE]: 'RECORD_BATCH_CORRUPT',
  [KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION]: 'UNKNOWN_TOPIC',
  [KAFKA_ERROR.LEADER_NOT_AVAILABLE]: 'LEADER_CHANGED',
  [KAFKA_ERROR.NOT_LEADER_OR_FOLLOWER]: 'LEADER_CHANGED',
  [KAFKA_ERROR.REPLICA_NOT_AVAILABLE]: 'LEADER_CHANGED',
  [KAFKA_ERROR.INVALID_TOPIC_EXCEPTION]: 'UNKNOWN_TOPIC',
  [KAFKA_ERROR.TOPIC_AUTHORIZATION_FAILED]: 'KAFKA_AUTH',
  [KAFKA_ERROR.GROUP_AUTHORIZATION_FAILED]: 'KAFKA_AUTH',
  [KAFKA_ERROR.CLUSTER_AUTHORIZATION_FAILED]: 'KAFKA_AUTH',
  [KAFKA_ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED]: 'KAFKA_AUTH',
  [KAFKA_ERROR.NOT_ENOUGH_REPLICAS]: 'NOT_ENOUGH_REPLICAS',
  [KAFKA_ERROR.NOT_ENOUGH_REPLICAS_AFTER_APPEND]: 'NOT_ENOUGH_REPLICAS',
  [KAFKA_ERROR.FENCED_LEADER_EPOCH]: 'LEADER_CHANGED',
  [KAFKA_ERROR.UNKNOWN_LEADER_EPOCH]: 'LEADER_CHANGED',
};

const RIGHTS = 'Give the principal the rights, or use another one.';
const LIVE_GROUP =
  'The group has live members, and only they may commit: use a group id that no consumer joins.';

const REMEDIES: Readonly<Record<number, string>> = {
  [KAFKA_ERROR.TOPIC_AUTHORIZATION_FAILED]: RIGHTS,
  [KAFKA_ERROR.GROUP_AUTHORIZATION_FAILED]: RIGHTS,
  [KAFKA_ERROR.CLUSTER_AUTHORIZATION_FAILED]: RIGHTS,
  [KAFKA_ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED]: RIGHTS,
  [KAFKA_ERROR.ILLEGAL_GENERATION]: LIVE_GROUP,
  [KAFKA_ERROR.UNKNOWN_MEMBER_ID]: LIVE_GROUP,
};

/** What a broker answered, as an error of ours. `what` says who refused what: "Fetch of orders-3 at offset 7". */
export function kafkaFailure(
  number: number,
  what: string,
  details: ErrorDetails = {},
  message = '',
): MillraceError {
  const name = kafkaErrorName(number);
  const code = CODES[number] ?? 'KAFKA_PROTOCOL';
  const text = `${what} failed: ${name}${message === '' ? '' : ` (${message})`}`;
  return new MillraceError(code, text, {
    retryable: isRetryableKafkaError(number),
    details: { ...details, kafkaError: name },
    remedy: REMEDIES[number] ?? '',
  });
}

/** No broker was reached in time. */
export function unreachable(brokers: readonly string[], ms: number, cause: unknown): MillraceError {
  const last = cause === undefined ? '' : `; last: ${messageOf(cause)}`;
  return new MillraceError(
    'KAFKA_UNREACHABLE',
    `No Kafka broker of ${brokers.join(', ')} could be reached within ${ms} ms${last}`,
    {
      cause,
      remedy: 'Check the addresses, the network and whether the listener expects TLS or SASL.',
      details: { brokers: brokers.join(',') },
    },
  );
}

export function clientClosed(): MillraceError {
  return new MillraceError('CANCELLED', 'the Kafka client is closed');
}
