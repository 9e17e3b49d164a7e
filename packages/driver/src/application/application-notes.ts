import { describeOutput, type StreamGraph } from '@millrace/api/internal';
import type { OpenInput } from './batch/batch-planner.ts';
import { inputChanges } from './input/input-changes.ts';
import type { LogState } from './log/log-state.ts';

/** What whoever submits a job is told of it: what it reads, what it writes with which guarantee, and where it goes on. */
export function applicationNotes(
  { inputs, outputs }: StreamGraph,
  open: readonly OpenInput[],
  state: LogState,
): readonly string[] {
  const notes = [
    ...inputs.map(({ strategy }) => `reads ${strategy.describe()}`),
    ...outputs.map(describeOutput),
  ];
  if (state.lastCommitted === undefined) return notes;
  const current = open.map(({ input, kafka }) => ({
    inputId: input.inputId,
    description: input.strategy.describe(),
    topics: kafka.topics,
  }));
  return [
    ...notes,
    ...inputChanges(current, state),
    `goes on after batch ${new Date(state.lastCommitted).toISOString()}`,
  ];
}
