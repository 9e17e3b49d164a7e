import { describe, expect, it } from '@jest/globals';
import { defineJob, evaluateJob } from '../define-job.ts';
import type { DStream } from '../dstream.ts';
import { ConsumerStrategies } from '../kafka/consumer-strategies.ts';
import { LocationStrategies } from '../kafka/location-strategies.ts';
import { StreamReach } from './stream-reach.ts';

type Pairs = DStream<readonly [string, number]>;

const OPTIONS = { brokers: 'localhost:9092', groupId: 'g', startFrom: 'earliest' } as const;
const count = (values: number[], n: number | undefined): number => values.length + (n ?? 0);

/** Of a job with batches of 100 ms. */
async function reachOf(build: (pairs: Pairs) => void) {
  const job = defineJob({ name: 'job', batchInterval: 100 }, (ssc) => {
    const stream = ssc.kafka.createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe('t', OPTIONS),
    );
    stream.foreachRDD(() => undefined);
    build(stream.map(({ value }) => [value, 1] as const));
  });
  const { graph } = (await evaluateJob(job)).context.internals.graph;
  return { graph, reach: new StreamReach(graph) };
}

describe('how far back a job reaches', () => {
  it('counts windows below state, and windows with an inverse, that no output asks for: they are computed all the same', async () => {
    const { reach } = await reachOf((pairs) => {
      pairs.window(500).updateStateByKey(count, { name: 'totals' });
    });
    expect([reach.horizonMs, reach.windows.length]).toEqual([500, 1]);
    expect(reach.inputsOf({ time: 1_000, previous: 900 })).toEqual(new Set([0]));
    const inverse = await reachOf((pairs) => {
      pairs.reduceByKeyAndWindow(
        (a, b) => a + b,
        (a, b) => a - b,
        300,
        100,
        { name: 'sums' },
      );
    });
    expect(inverse.reach.horizonMs).toBe(400);
  });

  it('keeps the rows of stateful operators below windows, whoever else reads them', async () => {
    const { graph, reach } = await reachOf((pairs) => {
      pairs
        .updateStateByKey(count, { name: 'windowed' })
        .map(([key]) => key)
        .window(400, 400)
        .foreachRDD(() => undefined);
      pairs.updateStateByKey(count, { name: 'not' }).foreachRDD(() => undefined);
    });
    expect(graph.stateful.map((node) => [node.operator.name, reach.isReadAgain(node)])).toEqual([
      ['windowed', true],
      ['not', false],
    ]);
  });
});
