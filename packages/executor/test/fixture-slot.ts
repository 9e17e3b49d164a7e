import { serialize } from 'node:v8';
import { encodeAccumulatorUpdates, runWithTaskContext, taskAccumulator } from '@millrace/api/internal';
import { systemClock } from '@millrace/common';
import { type KafkaClient, RecordColumns } from '@millrace/kafka';
import { serveSlot } from '../src/slots/serve-slot.ts';

// A slot whose closures are source texts and whose Kafka is a loop: what is tested is the slot, not closures or Kafka.
const reader = {
  async *read(range: {
    readonly topic: string;
    readonly partition: number;
    readonly fromOffset: number;
    readonly untilOffset: number;
  }) {
    const columns = new RecordColumns(range.topic, range.partition, 16);
    columns.n = range.untilOffset - range.fromOffset;
    yield await Promise.resolve(columns);
  },
  prefetch: () => undefined,
  close: () => Promise.resolve(),
};
const kafka = { reader: () => reader, close: () => Promise.resolve() } as unknown as KafkaClient;

serveSlot(
  {
    openProgram: (dir) =>
      Promise.resolve({
        revive: (bytes) => {
          const source = Buffer.from(bytes).toString();
          return Promise.resolve(
            // oxlint-disable-next-line typescript/no-implied-eval -- a fixture's closures are texts
            new Function('load', 'dir', `return (${source})`)((name: string) => import(name), dir) as (
              ...args: never[]
            ) => unknown,
          );
        },
        endTask: () => Promise.resolve(),
        close: () => Promise.resolve(),
      }),
    async runPipeline({ input, functions, signal, task }) {
      let records = 0;
      if (Symbol.asyncIterator in input) for await (const columns of input) records += columns.n;
      else if (!('chunks' in input || 'blocks' in input)) records = input.length;
      const value: unknown = await (functions.action[0] as Function)({ records, input, signal, task });
      return { result: ArrayBuffer.isView(value) ? (value as Uint8Array) : serialize(value), records };
    },
    pipelineRows: () => {
      throw new Error('not used here');
    },
    mayReuseColumns: () => false,
    connectKafka: () => kafka,
    runWithTaskContext,
    accumulator: taskAccumulator,
    encodeAccumulators: encodeAccumulatorUpdates,
  },
  systemClock,
);
