import { defineJob, evaluateJob } from '../define-job.ts';
import type { DStream } from '../dstream.ts';
import { ConsumerStrategies } from '../kafka/consumer-strategies.ts';
import { LocationStrategies } from '../kafka/location-strategies.ts';
import type { RDD } from '../rdd.ts';
import { BatchRdds } from '../stream/compute-rdd.ts';
import type { ContextInternals, StreamingContext } from '../streaming-context.ts';
import { referenceRunner } from './reference-runner.ts';

export type Pair = readonly [string, number];
export type Build = (left: DStream<Pair>, right: DStream<Pair>, ssc: StreamingContext) => DStream<unknown>;

const OPTIONS = { brokers: 'localhost:9092', groupId: 'g', startFrom: 'earliest' } as const;

/** A job with two streams, of the topics left and right; its output gives the rows of `build` to `seen`. */
export async function evaluated(
  build: Build,
  seen: (rows: readonly unknown[]) => void = () => undefined,
): Promise<ContextInternals> {
  const job = defineJob({ name: 'job', batchInterval: '1s' }, (ssc) => {
    const [left, right] = ['left', 'right'].map((topic) =>
      ssc.kafka
        .createDirectStream(LocationStrategies.PreferConsistent, ConsumerStrategies.Subscribe(topic, OPTIONS))
        .map((record) => record.value as unknown as Pair),
    );
    if (left && right) build(left, right, ssc).foreachRDD(async (rdd) => seen(await rdd.collect()));
  });
  return (await evaluateJob(job)).context.internals;
}

/** What an operator makes of a batch of two partitions a topic. */
export async function batchOf(
  build: Build,
  left: readonly Pair[],
  right: readonly Pair[] = [],
): Promise<readonly unknown[]> {
  const topics: Readonly<Record<string, readonly Pair[]>> = { left, right };
  const runner = referenceRunner(({ topic, partition }) =>
    (topics[topic] ?? []).filter((_, index) => index % 2 === partition).map((value) => ({ value })),
  );
  let made: readonly unknown[] = [];
  const internals = await evaluated(build, (rows) => {
    made = rows;
  });
  const [problem] = internals.graph.finish(runner.ship);
  if (problem) throw problem;
  internals.attach(runner);
  const range = (topic: string, partition: number) => ({ topic, partition, fromOffset: 0, untilOffset: 1 });
  const ranges = (inputId: number) =>
    [0, 1].map((partition) => range(inputId === 0 ? 'left' : 'right', partition));
  const { graph } = internals.graph;
  const rdds = new BatchRdds({ graph, runner });
  rdds.begin({ time: 1000, previous: undefined, ranges });
  for (const { node, run } of graph.outputs) await run((await rdds.rdd(node)) as RDD<unknown>, 1000);
  return made;
}
