// Totals by key from batch to batch, both ways; what each batch made of them goes to a file, however often it runs.
import { appendFileSync } from 'node:fs';
import { ConsumerStrategies, defineJob, env, LocationStrategies, type State, StateSpec } from '@millrace/api';

interface Session {
  rows: number;
  readonly values: Map<string, number>;
}

// All of the log is read at the end, however often a run began.
const job = { name: env('STATE_NAME'), batchInterval: 100, logSegmentsRetained: 1_000 };

export default defineJob(job, (ssc) => {
  const file = env('STATE_FILE');
  const pairs = ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('STATE_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'state',
        startFrom: 'earliest',
        maxRecordsPerBatch: 200,
      }),
    )
    .map((record): [string, number] => [record.value.split(' ')[0] ?? '', 1]);
  const totals = pairs.updateStateByKey(
    (values: number[], total: number | undefined) => values.reduce((a, b) => a + b, total ?? 0),
    { name: 'totals', partitions: 3 },
  );
  const sessions = pairs.mapWithState(
    StateSpec.function((key: string, value: number | undefined, state: State<Session>) => {
      const session = state.getOption() ?? { rows: 0, values: new Map<string, number>() };
      session.rows += value ?? 0;
      session.values.set(key, session.rows);
      state.update(session);
      return session.rows;
    })
      .named('sessions')
      .numPartitions(2),
  );
  // Its rows are not looked at: its state moves on all the same.
  sessions.foreachRDD(() => undefined);
  totals.foreachRDD(async (rdd, time) => {
    const rows = await rdd.collect();
    appendFileSync(file, `${JSON.stringify({ time, output: 'totals', rows })}\n`);
  });
  sessions.stateSnapshots().foreachRDD(async (rdd, time) => {
    const rows = await rdd.mapValues(({ rows: n, values }) => (values.size === 1 ? n : -1)).collect();
    appendFileSync(file, `${JSON.stringify({ time, output: 'sessions', rows })}\n`);
  });
});
