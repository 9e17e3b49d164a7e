import { type ConsumerOptions, ConsumerStrategies, type ConsumerStrategy, env } from '@millrace/api';

/** Subscribes to the topic of these jobs as a job with no mistake in it would; `options` make the mistake. */
export function badTopic<V = string>(
  options: Partial<ConsumerOptions<string | null, V>> = {},
): ConsumerStrategy<string | null, V> {
  return ConsumerStrategies.Subscribe<string | null, V>(env('BAD_TOPIC'), {
    brokers: env('KAFKA_BROKERS'),
    groupId: 'bad',
    startFrom: 'earliest',
    ...options,
  });
}
