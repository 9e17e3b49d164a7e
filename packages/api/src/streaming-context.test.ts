import { serialize } from 'node:v8';
import { describe, expect, it } from '@jest/globals';
import { defineJob, evaluateJob } from './define-job.ts';

const config = { name: 'job', batchInterval: '1s' } as const;

describe('a streaming context', () => {
  it('apply what successful tasks added to accumulators', async () => {
    let total = 0;
    const job = defineJob(config, (ssc) => {
      const counter = ssc.accumulator(10);
      const list = ssc.collectionAccumulator<string>();
      ssc.internals.accumulators.apply(
        serialize([
          ['sum:1', 5],
          ['list:2', ['x']],
        ]),
      );
      ssc.internals.accumulators.apply(new Uint8Array());
      total = counter.value + list.value.length;
    });
    await evaluateJob(job);
    expect(total).toBe(16);
  });

  it('refuse to broadcast what is not plain data', async () => {
    const job = defineJob(config, (ssc) => void ssc.broadcast({ db: { query: () => 1 } }));
    await expect(evaluateJob(job)).rejects.toThrow('it.db.query is a function');
  });
});
