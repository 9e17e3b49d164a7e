import {
  type ConsumerOptions,
  ConsumerStrategies,
  env,
  json,
  LocationStrategies,
  nullable,
  type StreamingContext,
  utf8,
} from '@millrace/api';

/** What is in the topic of the benchmark, from its beginning on, unless `options` say otherwise. */
export function records<K = string | null, V = string>(
  ssc: StreamingContext,
  options: Partial<ConsumerOptions<K, V>> = {},
) {
  return ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe<K, V>(env('BENCH_TOPIC'), {
      brokers: env('KAFKA_BROKERS'),
      groupId: 'bench',
      startFrom: 'earliest',
      ...options,
    }),
  );
}

/** The whole topic at once, JSON.parse of every value: 100,000 users, each with many times. */
export function msByUser(ssc: StreamingContext) {
  return records(ssc, {
    maxRecordsPerBatch: 'unlimited',
    value: json<{ user: string; ms: number }>(),
  }).map((record): [string, number] => [record.value.user, record.value.ms]);
}

/** The whole topic at once: a one for each record, by its key. 100,000 users. */
export function onesByKey(ssc: StreamingContext) {
  return records(ssc, { maxRecordsPerBatch: 'unlimited', key: utf8() }).map((record): [string, number] => [
    record.key,
    1,
  ]);
}

/** Records as they arrive. */
export function arrivals(ssc: StreamingContext) {
  return records(ssc, { startFrom: 'latest', value: nullable(utf8()) });
}
