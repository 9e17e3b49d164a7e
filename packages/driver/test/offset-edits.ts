import { defineJob } from '@millrace/api';
import { evaluateJob } from '@millrace/api/internal';
import { silentLogger } from '@millrace/common';
import { recoverLog } from '../src/application/log/log-reader.ts';
import { OffsetEditor } from '../src/application/offsets/offset-editor.ts';
import { pump } from '../src/application/testing/pump.ts';
import { countTask, createEngine, rangeOfTask } from '../src/application/testing/run-engine.ts';
import type { OffsetChange, OffsetReport } from '../src/offset-report.ts';
import type { World } from './world.ts';

/** Runs the application for one batch. `checked`: what is done between its check and its start. Returns what its tasks read. */
export async function run(
  setup: World,
  checked?: () => Promise<unknown>,
): Promise<{ readonly read: readonly string[]; readonly failure: unknown }> {
  const read: string[] = [];
  const { engine } = await createEngine({
    ...setup,
    config: { batches: 1 },
    perform: (set, task) => {
      const range = rangeOfTask(task);
      if (range) read.push(`${range.topic}-${range.partition} [${range.fromOffset}, ${range.untilOffset})`);
      return (setup.perform as typeof countTask | undefined)?.(set, task) ?? countTask(set, task);
    },
  });
  await pump(setup.clock, engine.validate());
  await checked?.();
  await pump(setup.clock, engine.start());
  const failure = await pump(setup.clock, engine.done);
  return { read: read.toSorted(), failure };
}

/** What the editor makes of the change; it executes it, unless told otherwise. */
export async function edit(
  setup: World,
  target: OffsetChange['target'],
  {
    execute = true,
    knownEpoch = recoverLog(setup.files).epoch,
    ...rest
  }: Partial<OffsetChange> & { readonly execute?: boolean; readonly knownEpoch?: number } = {},
): Promise<OffsetReport> {
  const job = await evaluateJob(defineJob({ name: 'test', batchInterval: 100 }, setup.build));
  const editor = new OffsetEditor({
    application: 'test',
    inputs: job.context.internals.graph.graph.inputs,
    kafka: () => setup.kafka,
    files: setup.files,
    clock: setup.clock,
    logger: silentLogger,
    segmentBytes: 1 << 20,
    segmentsRetained: 8,
    knownEpoch,
  });
  return editor.edit({ only: [], inputId: undefined, ...rest, target }, execute);
}

/** [partition, position, target] of each. */
export const targets = ({ partitions }: OffsetReport): readonly unknown[] =>
  partitions.map(({ topic, partition, position, target }) => [`${topic}-${partition}`, position, target]);
