import { type AccumulatorUpdates, decodeResult, type TaskContextData } from '@millrace/api/internal';
import { MillraceError } from '@millrace/common';
import { RecordColumns } from '@millrace/kafka';
import type { ActionMessage, CodecMessage, OperatorMessage } from '@millrace/proto';
import { type PipelineRequest, runPipeline } from '../index.ts';
import type { TaskStorage } from '../task-storage.ts';

export const RANGE = { topic: 'views', partition: 3, fromOffset: 10, untilOffset: 100 };

/** Columns whose i-th record has offset 10 + 2i (gaps are normal), the given value and the key "k<i>". */
export function columns(values: readonly (string | null)[], first = 0): RecordColumns {
  const made = new RecordColumns('views', 3, Math.max(1, values.length));
  const parts: Buffer[] = [];
  let position = 0;
  const put = (text: string): [number, number] => {
    const bytes = Buffer.from(text);
    parts.push(bytes);
    position += bytes.length;
    return [position - bytes.length, bytes.length];
  };
  for (const [i, value] of values.entries()) {
    [made.keyStart[i], made.keyLength[i]] = put(`k${first + i}`);
    [made.valueStart[i], made.valueLength[i]] = value === null ? [0, -1] : put(value);
    made.headerStart[i] = put('\0')[0];
    made.offset[i] = 10 + 2 * (first + i);
    made.timestamp[i] = 1000 + first + i;
  }
  made.buf = Buffer.concat(parts);
  made.n = values.length;
  return made;
}

export async function* stream(...chunks: RecordColumns[]): AsyncIterable<RecordColumns> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

export const op = (kind: string, functions: readonly Function[], numbers: readonly number[] = []) => ({
  message: {
    kind,
    numbers,
    place: `job.ts:1:${kind}`,
    closures: functions.map(() => ({ hash: '', place: '' })),
  } satisfies OperatorMessage,
  functions,
});

export interface Setup {
  readonly input?: PipelineRequest['input'];
  readonly operators?: ReturnType<typeof op>[];
  readonly action: Pick<ActionMessage, 'kind'> & Partial<ActionMessage>;
  readonly functions?: readonly Function[];
  readonly value?: CodecMessage;
  readonly valueDecode?: Function;
  readonly accumulators?: AccumulatorUpdates;
  /** Absent: what is combined is held in memory, by the operator itself. */
  readonly storage?: TaskStorage;
  /** Id of the accumulator that counts records which do not decode. */
  readonly undecodable?: string;
  readonly batchTime?: number;
}

export async function run<T>(setup: Setup): Promise<T> {
  return decodeResult((await runPipeline(requestOf(setup))).result) as T;
}

/** Of which the result does not matter. */
export async function ran(setup: Setup): Promise<void> {
  await runPipeline(requestOf(setup));
}

function requestOf({
  input,
  operators = [],
  action,
  functions = [],
  value,
  valueDecode,
  accumulators = new Map(),
  undecodable = '',
  batchTime = 1_700_000_000_000,
  storage,
}: Setup): PipelineRequest {
  const kafka = {
    clientJson: '{}',
    groupId: 'g',
    isolation: 'read_committed',
    key: { name: 'utf8', nullable: true },
    value: value ?? { name: 'utf8', nullable: false },
    undecodable,
  } as const;
  const pipeline = {
    source: { kind: 'kafka', kafka } as const,
    operators: operators.map(({ message }) => message),
  };
  return {
    stage: {
      pipelines: [pipeline],
      action: {
        closures: functions.map(() => ({ hash: '', place: '' })),
        numbers: [],
        place: 'job.ts:9:9',
        ...action,
      },
      ranges: [],
      batchIntervalMs: 1000,
    },
    pipeline,
    input: input ?? stream(columns(['a', 'b', 'c']), columns(['d'], 3)),
    range: RANGE,
    functions: {
      operators: operators.map((operator) => operator.functions),
      action: functions,
      ...(valueDecode === undefined ? {} : { valueDecode }),
    },
    task: { batchTime, partitionId: 3, accumulators } as TaskContextData,
    signal: new AbortController().signal,
    ...(storage && { storage }),
  };
}

export type Row = { key: string; value: string; offset: number; timestamp: number };

export async function failure(setup: Setup): Promise<MillraceError> {
  try {
    await run(setup);
  } catch (error) {
    if (MillraceError.is(error)) return error;
    throw error;
  }
  throw new Error('it did not fail');
}
