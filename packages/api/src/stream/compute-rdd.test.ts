import { describe, expect, it } from '@jest/globals';
import { defineJob, evaluateJob } from '../define-job.ts';
import { ConsumerStrategies } from '../kafka/consumer-strategies.ts';
import { LocationStrategies } from '../kafka/location-strategies.ts';
import type { RDD } from '../rdd.ts';
import { fakeRunner } from '../testing/fake-runner.ts';
import { BatchRdds } from './compute-rdd.ts';

const OPTIONS = { brokers: 'localhost:9092', groupId: 'g', startFrom: 'earliest' } as const;
const config = { name: 'job', batchInterval: '1s' } as const;

describe('the RDDs of a batch', () => {
  it('are made once: transform runs once for two outputs, lambdas are captured each time', async () => {
    let transforms = 0;
    const seen: number[] = [];
    const job = defineJob(config, (ssc) => {
      const stream = ssc.kafka
        .createDirectStream(
          LocationStrategies.PreferConsistent,
          ConsumerStrategies.Subscribe('views', OPTIONS),
        )
        .transform((rdd) => {
          transforms += 1;
          return rdd.map((r) => r.offset);
        });
      stream.foreachRDD((rdd) => void seen.push(rdd.partitions));
      stream.foreachRDD((rdd) => void seen.push(rdd.offsetRanges.length));
    });
    const { context } = await evaluateJob(job);
    const runner = fakeRunner();
    expect(context.internals.graph.finish(runner.ship)).toEqual([]);
    const { graph } = context.internals.graph;
    const rdds = new BatchRdds({ graph, runner });
    const ranges = () => [{ topic: 'views', partition: 0, fromOffset: 0, untilOffset: 1 }];
    rdds.begin({ time: 1000, previous: undefined, ranges });
    for (const { node, run } of graph.outputs) await run((await rdds.rdd(node)) as RDD<unknown>, 1000);
    expect(transforms).toBe(1);
    expect(seen).toEqual([1, 1]);
    expect(runner.shipped).toEqual(['map']);
  });
});
