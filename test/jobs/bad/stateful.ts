// Windows and state that cannot be: the job's definition says so.
import { type DStream, defineJob, env, LocationStrategies } from '@millrace/api';
import { badTopic } from './bad-topic.ts';

const add = (a: number, b: number): number => a + b;
const subtract = (a: number, b: number): number => a - b;
const total = (values: number[], before: number | undefined): number => values.reduce(add, before ?? 0);
/** As who writes JavaScript calls it. */
const unnamed = {} as { readonly name: string };

const MISTAKES: Readonly<Record<string, (ones: DStream<readonly [string, number]>) => DStream<unknown>>> = {
  'bad-window': (ones) => ones.window('250ms'),
  'bad-slide': (ones) => ones.countByWindow('1s', '150ms'),
  'bad-inverse': (ones) => ones.reduceByKeyAndWindow(add, subtract, '1s', '100ms', unnamed),
  'bad-unnamed': (ones) => ones.updateStateByKey(total, unnamed),
  'bad-names': (ones) => {
    const first = ones.updateStateByKey(total, { name: 'totals' });
    const second = ones.updateStateByKey(total, { name: 'totals' });
    return first.union(second);
  },
};

export default defineJob({ name: env('BAD_NAME'), batchInterval: '100ms' }, (ssc) => {
  const ones = ssc.kafka
    .createDirectStream(LocationStrategies.PreferConsistent, badTopic())
    .map(({ value }) => [value, 1] as const);
  MISTAKES[env('BAD_NAME')]?.(ones).print();
});
