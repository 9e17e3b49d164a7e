// One large broadcast, read by tasks of all slots at once, batch after batch; then it is destroyed, and one more task asks for it.
import { appendFileSync } from 'node:fs';
import { ConsumerStrategies, defineJob, env, LocationStrategies, type MillraceError } from '@millrace/api';

const SIZE = Number(env('SIZE'));
const BATCHES = 3;

/** Does not compress. */
function noise(): Uint8Array {
  const bytes = new Uint8Array(SIZE);
  let state = 7;
  for (let at = 0; at < SIZE; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

export default defineJob({ name: 'broadcast', batchInterval: '50ms', batches: BATCHES }, (ssc) => {
  const rows = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe(env('TOPIC'), {
      brokers: env('KAFKA_BROKERS'),
      groupId: 'broadcast',
      startFrom: 'earliest',
    }),
  );
  const table = ssc.broadcast({ noise: noise(), names: new Map([['de', 'Germany']]) });
  const say = (line: unknown): void => appendFileSync(env('JOURNAL'), `${JSON.stringify(line)}\n`);
  let batches = 0;
  rows.foreachRDD(async () => {
    const { brokers } = { brokers: env('KAFKA_BROKERS') };
    const fixed = await ssc.kafka.createRDD(
      { brokers },
      Array.from({ length: 3 }, (_, partition) => ({ topic: env('TOPIC'), partition, from: 0, until: 1 })),
    );
    const read = fixed.mapAsync(async () => {
      // Long enough that every slot has a task.
      await new Promise((resolve) => setTimeout(resolve, 300));
      const { value } = table;
      const kept = globalThis as { kept?: object };
      kept.kept ??= value;
      return [process.pid, value.noise.length, value.names.get('de'), kept.kept === value];
    });
    say(await read.collect());
    batches++;
    if (batches < BATCHES) return;
    table.destroy();
    say(
      await read.collect().then(
        () => 'it was there',
        (error: MillraceError) => error.code,
      ),
    );
  });
});
