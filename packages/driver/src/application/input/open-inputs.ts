import type { StreamGraph } from '@millrace/api/internal';
import { MillraceError } from '@millrace/common';
import type { OpenInput } from '../batch/batch-planner.ts';
import { isFirstOf, type LogState, planningPositions } from '../log/log-state.ts';
import { KafkaInput, type KafkaInputOptions } from './kafka-input.ts';

export interface OpenInputsOptions extends Omit<KafkaInputOptions, 'input' | 'kafka'> {
  readonly kafka: (input: StreamGraph['inputs'][number]) => KafkaInputOptions['kafka'];
  readonly signal: AbortSignal;
}

export interface OpenedInputs {
  readonly inputs: readonly OpenInput[];
  /** All of them; none: the inputs stand where the log ends. */
  readonly problems: readonly MillraceError[];
}

/** Makes the inputs stand where the log ends. Never rejects. */
export async function openInputs(
  inputs: StreamGraph['inputs'],
  state: LogState,
  { kafka, signal, ...options }: OpenInputsOptions,
): Promise<OpenedInputs> {
  const positions = planningPositions(state);
  const open = inputs.map((input) => ({
    input,
    kafka: new KafkaInput({ ...options, input, kafka: kafka(input) }),
  }));
  const problems = open.map(({ input, kafka: opening }) =>
    opening
      .open(
        { positions: positions.get(input.inputId) ?? new Map(), isFirst: isFirstOf(state, input.inputId) },
        signal,
      )
      .catch((error: unknown) => [MillraceError.from(error, 'INTERNAL')]),
  );
  return { inputs: open, problems: (await Promise.all(problems)).flat() };
}
