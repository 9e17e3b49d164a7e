// biome-ignore-all lint: code as users write it, good and bad
/* oxlint-disable */
import { writeFileSync } from 'node:fs';
import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

/** The driver changes this between two batches. */
let factor = 1;
const text = (value: unknown) => JSON.stringify(value);
class Settings {
  static offset = 0;
  static #step = 1;
  static next() {
    Settings.#step *= 2;
  }
  static apply(x: number) {
    return x * Settings.#step + Settings.offset;
  }
}

export default defineJob({ name: 'closures-batches', batchInterval: '50ms', batches: 4 }, (ssc) => {
  const rows = ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('CLOSURES_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'closures-batches',
        startFrom: 'earliest',
        // One of the rows 1, 2, 3 in the first batch.
        maxRatePerPartition: 20,
      }),
    )
    .map((record) => Number(record.value));
  const there: unknown[] = [];
  const here: unknown[] = [];
  rows
    .map((x) => [x, x * factor, Settings.apply(x)])
    .foreachRDD(async (rdd) => {
      const local = factor + 0.5;
      const mapped = await rdd.map((row) => [...row, local, Settings.offset]).collect();
      if (mapped.length === 0) return;
      there.push(mapped);
      here.push(mapped.map(([x]) => [x, x! * factor, Settings.apply(x!), local, Settings.offset]));
      factor *= 10;
      Settings.offset += 100;
      Settings.next();
      const reports = [
        {
          title: 'what the driver changes is seen by the next batch',
          actual: text(there),
          expected: text(here),
        },
        { title: 'there was a next batch', actual: there.length > 1, expected: true },
      ];
      writeFileSync(env('CLOSURES_RESULT'), JSON.stringify(reports));
    });
});
