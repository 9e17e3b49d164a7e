import { isEmptyPreserving } from '@millrace/api/internal';
import { assertNever } from '@millrace/common';
import { offsetSpan, topicPartitionKey } from '@millrace/kafka';
import type { Pipeline, TaskInput } from './stage.ts';

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
    case 'merge':
      return input.inputs.map(describeInput).join(' and ');
    default:
      return assertNever(input, 'task input');
  }
}

/** Offsets of Kafka that it reads. */
export function spanOf(input: TaskInput): number {
  switch (input.kind) {
    case 'range':
      return offsetSpan(input.range);
    case 'merge':
      return input.inputs.reduce((sum, child) => sum + spanOf(child), 0);
    case 'rows':
    case 'shuffle':
      return 0;
    default:
      return assertNever(input, 'task input');
  }
}

/** No row can come of it. `isBucketEmpty` is asked of what it reads of shuffles. */
export function isEmptyTask<Shuffle>(
  { source, operators }: Pipeline,
  input: TaskInput<Shuffle>,
  isBucketEmpty: (from: Shuffle, bucket: number) => boolean,
): boolean {
  if (!operators.every(({ kind }) => isEmptyPreserving(kind))) return false;
  switch (input.kind) {
    case 'range':
      return offsetSpan(input.range) === 0;
    case 'rows':
      return input.rows.length === 0;
    case 'shuffle':
      return isBucketEmpty(input.from, input.bucket);
    case 'merge': {
      if (source.kind !== 'merge') return false;
      const isEmptyChild = (child: Pipeline, index: number): boolean => {
        const childInput = input.inputs[index];
        return childInput !== undefined && isEmptyTask(child, childInput, isBucketEmpty);
      };
      // A zip of one empty side with another has to run: it fails.
      return source.how === 'cartesian'
        ? source.children.some(isEmptyChild)
        : source.children.every(isEmptyChild);
    }
    default:
      return assertNever(input, 'task input');
  }
}
