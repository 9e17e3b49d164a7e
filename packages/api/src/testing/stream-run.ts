import type { OffsetRange } from '@millrace/kafka';
import { defineJob, evaluateJob } from '../define-job.ts';
import type { DStream } from '../dstream.ts';
import { ConsumerStrategies } from '../kafka/consumer-strategies.ts';
import { LocationStrategies } from '../kafka/location-strategies.ts';
import type { PersistedNode } from '../lineage/rdd-node.ts';
import type { RDD } from '../rdd.ts';
import { type BatchInput, BatchRdds } from '../stream/compute-rdd.ts';
import { StreamReach } from '../stream/stream-reach.ts';
import type { ContextInternals, StreamingContext } from '../streaming-context.ts';
import { type ReferenceRunner, referenceRunner } from './reference-runner.ts';

export type Keyed = readonly [string, number];
export type BuildStream = (stream: DStream<Keyed>, ssc: StreamingContext) => DStream<unknown>;

export const INTERVAL_MS = 100;
const OPTIONS = { brokers: 'localhost:9092', groupId: 'g', startFrom: 'earliest' } as const;

/** The batches of a job with one stream and one output, on the reference runner. */
export class StreamRun {
  /** What the output got: batch time → rows. A batch in which it did not run is absent. */
  readonly seen = new Map<number, readonly unknown[]>();
  readonly released = new Set<PersistedNode>();
  readonly runner: ReferenceRunner;
  /** What the output's last RDD is made of. */
  last: RDD<unknown> | undefined;
  readonly #partitions: Keyed[][] = [];
  readonly #past: BatchInput[] = [];
  #internals: ContextInternals | undefined;
  #rdds: BatchRdds | undefined;
  #program = 'p1';

  private constructor() {
    const runner = referenceRunner(({ partition, fromOffset, untilOffset }) =>
      (this.#partitions[partition] ?? []).slice(fromOffset, untilOffset).map((value) => ({ value })),
    );
    this.runner = { ...runner, release: (node) => void this.released.add(node) };
  }

  static async of(build: BuildStream): Promise<StreamRun> {
    const run = new StreamRun();
    const job = defineJob({ name: 'job', batchInterval: INTERVAL_MS }, (ssc) => {
      const stream = ssc.kafka
        .createDirectStream(LocationStrategies.PreferConsistent, ConsumerStrategies.Subscribe('t', OPTIONS))
        .map((record) => record.value as unknown as Keyed);
      build(stream, ssc).foreachRDD(async (rdd, time) => {
        run.last = rdd;
        run.seen.set(time, await rdd.collect());
      });
    });
    run.#internals = (await evaluateJob(job)).context.internals;
    const [problem] = run.#internals.graph.finish(run.runner.ship);
    if (problem) throw problem;
    run.#internals.attach(run.runner);
    return run;
  }

  /** Rows go to `partitions` partitions in turn. */
  async batch(time: number, rows: readonly Keyed[], partitions = 2): Promise<void> {
    const from = Array.from({ length: partitions }, (_, index) => this.#partitions[index]?.length ?? 0);
    for (const [index, row] of rows.entries()) {
      const records = this.#partitions[index % partitions] ?? [];
      this.#partitions[index % partitions] = records;
      records.push(row);
    }
    const ranges = from.map(
      (fromOffset, partition): OffsetRange => ({
        topic: 't',
        partition,
        fromOffset,
        untilOffset: this.#partitions[partition]?.length ?? 0,
      }),
    );
    const input = { time, previous: this.#past.at(-1)?.time, ranges: () => ranges };
    const { graph } = (this.#internals as ContextInternals).graph;
    this.#rdds ??= this.#begin(input);
    this.#rdds.begin(input);
    for (const node of graph.inverseWindows) await (await this.#rdds.rdd(node))?.collect();
    for (const { node, run } of graph.outputs) {
      const rdd = await this.#rdds.rdd(node);
      if (rdd) await run(rdd, time);
    }
    this.#rdds.end();
    this.#past.push(input);
  }

  /** The next batch finds what the log has. */
  restart(program = this.#program): void {
    this.#rdds = undefined;
    this.#program = program;
  }

  #begin({ time }: BatchInput): BatchRdds {
    const { graph } = this.#internals as ContextInternals;
    const { horizonMs } = new StreamReach(graph.graph);
    const last = this.#past.at(-1)?.time ?? time;
    const history = this.#past.filter((batch) => batch.time > last - horizonMs);
    const made = new BatchRdds({ graph: graph.graph, runner: this.runner, history, program: this.#program });
    graph.rdds = made;
    return made;
  }
}
