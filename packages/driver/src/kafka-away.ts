import { type ErrorCode, type ErrorRecord, MillraceError } from '@millrace/common';

/** Kafka, or the brokers of a partition, cannot be reached; whoever met it has tried for a while. */
const KAFKA_AWAY: ReadonlySet<ErrorCode> = new Set([
  'KAFKA_UNREACHABLE',
  'LEADER_CHANGED',
  'NOT_ENOUGH_REPLICAS',
]);

/** Attempts may be set to give up on Kafka soon. */
export const KAFKA_AWAY_PAUSE_MS = 1_000;

export function isKafkaAway({ code }: Pick<ErrorRecord, 'code'>): boolean {
  return KAFKA_AWAY.has(code);
}

/** `error` of an application that cannot start, for its driver: how long it would wait for Kafka. */
export function withKafkaTimeout(error: ErrorRecord, kafkaTimeoutMs: number): ErrorRecord {
  const { problems = [error], details } = error;
  return problems.every(isKafkaAway) ? { ...error, details: { ...details, kafkaTimeoutMs } } : error;
}

/** Undefined: the error is not one of `withKafkaTimeout` that says that Kafka is away. */
export function kafkaTimeoutOf({ details }: Pick<ErrorRecord, 'details'>): number | undefined {
  const { kafkaTimeoutMs } = details;
  return typeof kafkaTimeoutMs === 'number' ? kafkaTimeoutMs : undefined;
}

/** `error` of the last attempt, when its task has waited for `kafkaTimeout`. */
export function kafkaStayedAway(error: ErrorRecord, kafkaTimeoutMs: number): ErrorRecord {
  const { what, remedy } = MillraceError.fromRecord(error);
  const waited = `${Math.round(kafkaTimeoutMs / 1000)} s`;
  return {
    ...error,
    what: `${what}; the task has waited for Kafka for ${waited}`,
    remedy:
      `${remedy} When Kafka may be away for longer than ${waited}, raise the job option kafkaTimeout.`.trim(),
  };
}
