// Accumulators of every kind, under failing attempts and, with CRASH, a host that dies when its tasks are done.
import { existsSync, writeFileSync } from 'node:fs';
import { ConsumerStrategies, defineJob, env, LocationStrategies, TaskContext } from '@millrace/api';

interface Longest {
  text: string;
  readonly ends: string[];
}

class LongestKind {
  readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  zero(): Longest {
    return { text: '', ends: [] };
  }

  add(state: Longest, text: string): void {
    if (text.length > state.text.length) state.text = text.slice(0, this.limit);
  }

  merge(into: Longest, other: Longest): void {
    this.add(into, other.text);
    for (const end of other.ends) into.ends.push(end);
  }
}

export default defineJob({ name: env('NAME'), batchInterval: '50ms', batches: 1 }, (ssc) => {
  const rows = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe(env('TOPIC'), {
      brokers: env('KAFKA_BROKERS'),
      groupId: env('NAME'),
      startFrom: 'earliest',
    }),
  );
  const count = ssc.accumulator(100, 'rows');
  const unnamed = ssc.accumulator();
  const values = ssc.collectionAccumulator<string>('values');
  const kinds = ssc.setAccumulator<{ readonly kind: string }>('kinds');
  const byKind = ssc.mapAccumulator<string>('by kind');
  const longest = ssc.customAccumulator<string, Longest>(new LongestKind(20), 'longest');
  const completions = ssc.setAccumulator<string>();
  rows.foreachRDD(async (rdd) => {
    await rdd.foreach(({ value, partition }) => {
      const text = value;
      const kind = text.split(':')[0] ?? '';
      count.add(1);
      unnamed.add(0.5);
      values.add(text);
      kinds.add({ kind });
      byKind.add(kind);
      byKind.add('all', 2);
      longest.add(text);
      const { attemptNumber, onCompletion, signal, jobId } = TaskContext.get();
      onCompletion(() => completions.add(`${partition}/${attemptNumber}/${jobId}/${signal.aborted}`));
      // Every task fails twice, after it has added.
      if (attemptNumber < 2 && text.endsWith('!')) throw new Error('a failing attempt');
    });
    const results = {
      rows: count.value,
      unnamed: unnamed.value,
      values: values.value.toSorted(),
      kinds: [...kinds.value].map(({ kind }) => kind).toSorted(),
      byKind: [...byKind.value].toSorted(([a], [b]) => (a < b ? -1 : 1)),
      longest: longest.value.text,
      completions: [...completions.value].toSorted(),
    };
    if (env('CRASH', 'no') === 'yes' && !existsSync(`${env('RESULT')}.crashed`)) {
      writeFileSync(`${env('RESULT')}.crashed`, JSON.stringify(results));
      process.kill(process.pid, 'SIGKILL');
      await new Promise(() => undefined);
    }
    writeFileSync(env('RESULT'), JSON.stringify(results));
  });
});
