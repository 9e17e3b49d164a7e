import {
  describeOutput,
  type JobOptions,
  type OutputOperation,
  type StreamGraph,
} from '@millrace/api/internal';
import type { OpenInput } from './batch/batch-planner.ts';
import { inputChanges } from './input/input-changes.ts';
import type { LogState } from './log/log-state.ts';
import { loggedOutputs } from './outputs/output-prefix.ts';
import { outputLoops } from './outputs/output-topics.ts';
import { stateChanges } from './state/state-changes.ts';

/** What whoever submits a job is told of it: what it reads, what it writes with which guarantee, where it goes on, and what of before is kept, dropped or new. */
export function applicationNotes(
  graph: StreamGraph,
  { name, dropState }: Pick<JobOptions, 'name' | 'dropState'>,
  open: readonly OpenInput[],
  state: LogState,
): readonly string[] {
  const { inputs, outputs } = graph;
  const notes = [
    ...inputs.map(({ strategy }) => `reads ${strategy.describe()}`),
    ...inputs.flatMap(({ strategy, options: { onDecodeError } }) =>
      typeof onDecodeError === 'object'
        ? [
            `dead letters of ${strategy.describe()} to topic "${onDecodeError.deadLetterTopic}": at-least-once`,
          ]
        : [],
    ),
    ...outputs.map(describeOutput),
    ...outputLoops(outputs, open),
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
    ...stateChanges(graph, state.state, dropState),
    ...outputsGone(outputs, name, state),
    `goes on after batch ${new Date(state.lastCommitted).toISOString()}`,
  ];
}

function outputsGone(
  outputs: readonly OutputOperation[],
  application: string,
  { outputs: logged }: LogState,
): readonly string[] {
  const current = new Set(loggedOutputs(outputs, application));
  return [...logged.keys()]
    .filter((prefix) => !current.has(prefix))
    .map((prefix) => `exactly-once output ${prefix} is no longer there: what it has written stays`);
}
