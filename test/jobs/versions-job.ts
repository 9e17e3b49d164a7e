// Labels each record with the program that saw it, exactly once; records "wait…" need a file. Counts in keyed state whose version is given.
import { existsSync } from 'node:fs';
import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

export default defineJob(
  { name: env('VERSIONS_NAME'), batchInterval: '100ms', taskAttemptsMax: 1 },
  (ssc) => {
    const brokers = env('KAFKA_BROKERS');
    const label = env('LABEL');
    const gate = env('GATE');
    const version = Number(env('STATE_VERSION', '0'));
    const values = ssc.kafka
      .createDirectStream(
        LocationStrategies.PreferConsistent,
        ConsumerStrategies.Subscribe(env('VERSIONS_TOPIC'), {
          brokers,
          groupId: 'versions',
          startFrom: 'earliest',
        }),
      )
      .map(({ value }) => value ?? '');
    values.toKafka(env('VERSIONS_OUT'), {
      brokers,
      guarantee: 'exactly-once',
      value: (value) => {
        if (value.startsWith('wait') && !existsSync(gate)) {
          // The other task is done by then.
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000);
          throw new Error('the gate is closed');
        }
        return `${label} ${value}`;
      },
    });
    values
      .map((value): [string, number] => [value.slice(0, 4), 1])
      .updateStateByKey<string, number, number>(
        (added, sum) => added.reduce((total, each) => total + each, sum ?? 0),
        { name: 'counts', version, migrate: (state) => state as number },
      )
      .foreachRDD(() => undefined);
  },
);
