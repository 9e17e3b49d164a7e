import {
  ConsumerStrategies,
  env,
  json,
  LocationStrategies,
  nullable,
  type StreamingContext,
  utf8,
} from '@millrace/api';

/** The whole topic at once, JSON.parse of every value: 100,000 users, each with many times. */
export function msByUser(ssc: StreamingContext) {
  return ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('BENCH_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'bench',
        startFrom: 'earliest',
        maxRecordsPerBatch: 'unlimited',
        value: json<{ user: string; ms: number }>(),
      }),
    )
    .map((record): [string, number] => [record.value.user, record.value.ms]);
}

/** Records as they arrive. */
export function arrivals(ssc: StreamingContext) {
  return ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe(env('BENCH_TOPIC'), {
      brokers: env('KAFKA_BROKERS'),
      groupId: 'bench',
      startFrom: 'latest',
      value: nullable(utf8()),
    }),
  );
}
