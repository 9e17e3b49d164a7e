import { isEmptyPreserving } from '@millrace/api/internal';
import { assertNever } from '@millrace/common';
import { offsetSpan, topicPartitionKey } from '@millrace/kafka';
import type { TaskInputMessage } from '@millrace/proto/task';
import { childOf, type Pipeline, type Stage, type StageTask, type TaskInput } from './stage.ts';

/** What a task reads, for errors: "views-3 [100, 200)". */
export function describeInput(input: TaskInput): string {
  switch (input.kind) {
    case 'range': {
      const { fromOffset, untilOffset } = input.range;
      return `${topicPartitionKey(input.range)} [${fromOffset}, ${untilOffset})`;
    }
    case 'rows':
      return `${input.rows.length} rows`;
    case 'shuffle':
      return `bucket ${input.bucket} of stage ${input.from}`;
    case 'stored':
      return `partition ${input.mapPartition} of stage ${input.from}`;
    case 'merge':
      return input.inputs.map(describeInput).join(' and ');
    default:
      return assertNever(input, 'task input');
  }
}

/** How much it reads, to compare it with the same task of another batch: offsets of Kafka, and bytes that map tasks left. */
export function spanOf(input: TaskInputMessage): number {
  switch (input.kind) {
    case 'range':
      return offsetSpan(input.range);
    case 'rows':
      return 0;
    case 'shuffle':
      return input.blocks.reduce((sum, { bytes }) => sum + bytes, 0);
    case 'merge':
      return input.inputs.reduce((sum, child) => sum + spanOf(child), 0);
    default:
      return assertNever(input, 'task input');
  }
}

/**
 * Tells apart what tasks read from outside, whichever job they are of: the same range of the same stream has one name, and so have the same
 * rows of a program. Undefined: nothing.
 */
export function inputName({ pipelines }: Pick<Stage, 'pipelines'>, { pipeline, input }: StageTask): unknown {
  const chain = pipelines[pipeline];
  const [first, ...rest] = chain ? namesOf(chain, input) : [];
  return rest.length === 0
    ? first
    : JSON.stringify([first, ...rest].filter((name) => typeof name === 'string'));
}

function namesOf({ source }: Pipeline, input: TaskInput): readonly unknown[] {
  if (source.kind === 'kafka' && input.kind === 'range') {
    const { fromOffset, untilOffset } = input.range;
    return [`${source.info.sourceId}/${topicPartitionKey(input.range)}/${fromOffset}-${untilOffset}`];
  }
  if (input.kind === 'rows') return [input.rows];
  if (source.kind !== 'merge' || input.kind !== 'merge') return [];
  return input.inputs.flatMap((child, index) => {
    const chain = childOf(source, input, index);
    return chain ? namesOf(chain, child) : [];
  });
}

/** What map tasks left. */
export type StoredInput<From> = Extract<TaskInput<From>, { kind: 'shuffle' | 'stored' }>;

/** What it reads of map tasks. */
export function storedInputs<From>(input: TaskInput<From>): readonly StoredInput<From>[] {
  if (input.kind === 'shuffle' || input.kind === 'stored') return [input];
  return input.kind === 'merge' ? input.inputs.flatMap((child) => storedInputs(child)) : [];
}

/** No row can come of it. `isNothing` is asked of what it reads of map tasks. */
export function isEmptyTask<From>(
  { source, operators }: Pipeline,
  input: TaskInput<From>,
  isNothing: (input: StoredInput<From>) => boolean,
): boolean {
  if (!operators.every(({ kind }) => isEmptyPreserving(kind))) return false;
  switch (input.kind) {
    case 'range':
      return offsetSpan(input.range) === 0;
    case 'rows':
      return input.rows.length === 0;
    case 'shuffle':
    case 'stored':
      return isNothing(input);
    case 'merge': {
      if (source.kind !== 'merge') return false;
      const isEmptyChild = (childInput: TaskInput<From>, index: number): boolean => {
        const child = childOf(source, input, index);
        return child !== undefined && isEmptyTask(child, childInput, isNothing);
      };
      // A zip of one empty side with another has to run: it fails.
      return source.how === 'cartesian' ? input.inputs.some(isEmptyChild) : input.inputs.every(isEmptyChild);
    }
    default:
      return assertNever(input, 'task input');
  }
}
