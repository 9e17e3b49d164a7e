import { MillraceError } from '@millrace/common';
import {
  changesFromJson,
  changesToJson,
  type StatesJson,
  statesFromJson,
  statesToJson,
} from '../state/logged-state.ts';
import {
  LOG_VERSION,
  type LoggedHistory,
  type LoggedInput,
  type LoggedPosition,
  type LogRecord,
  type OffsetMove,
  type OffsetMoves,
  type PastBatch,
  type PlannedBatch,
} from './log-record.ts';

// In JSON partitions are grouped by topic, and each is a tuple: a batch of a thousand partitions takes 30 KB, not 150.
interface TopicJson<Tuple> {
  readonly topic: string;
  readonly id?: string;
  readonly parts: readonly Tuple[];
}
type RangeTuple = readonly [
  partition: number,
  from: number,
  until: number,
  leaderEpoch: number,
  untilEpoch?: number,
];
type PositionTuple = readonly [partition: number, offset: number, leaderEpoch: number];
type MoveTuple = readonly [partition: number, from: number | null, to: number, leaderEpoch: number];
type InputJson<Tuple> = { readonly input: number; readonly topics: readonly TopicJson<Tuple>[] };

type PlannedJson = Omit<PlannedBatch, 'inputs'> & { readonly inputs: readonly InputJson<RangeTuple>[] };
type PastJson = Omit<PastBatch, 'inputs'> & { readonly inputs: readonly InputJson<RangeTuple>[] };
type AnchorJson = Omit<
  LogRecord & { kind: 'anchor' },
  'positions' | 'pending' | 'history' | 'state' | 'outputs'
> & {
  readonly positions: readonly InputJson<PositionTuple>[];
  readonly pending?: PlannedJson;
  readonly history?: { readonly keepMs: number; readonly batches: readonly PastJson[] };
  readonly state?: StatesJson;
  readonly outputs?: Readonly<Record<string, number>>;
};
type CommittedJson = Omit<LogRecord & { kind: 'committed' }, 'state'> & { readonly state?: StatesJson };

type MovedJson = Omit<LogRecord & { kind: 'moved' }, 'inputs'> & {
  readonly inputs: readonly InputJson<MoveTuple>[];
};

/** Of records that tell of keyed state. */
const STATE_VERSION = 3;

/** What an older Millrace understands is still written as it reads it. */
const VERSION_OF: Readonly<Record<LogRecord['kind'], number>> = {
  anchor: 1,
  planned: 1,
  committed: 1,
  moved: 2,
  // A reader that does not know it would not claim what an older run may still write to.
  output: 4,
};

/** The JSON text of a record. Never contains a line break or a NUL. */
export function recordToJson(record: LogRecord): string {
  const v = versionOf(record);
  switch (record.kind) {
    case 'anchor': {
      const positions = record.positions.map(({ inputId, at }) => ({
        input: inputId,
        topics: byTopic(
          at,
          ({ partition, offset, leaderEpoch }): PositionTuple => [partition, offset, leaderEpoch],
        ),
      }));
      const pending = record.pending && withInputsJson(record.pending);
      const { history: kept } = record;
      const history = kept && { ...kept, batches: kept.batches.map((batch) => withInputsJson(batch)) };
      const state = record.state && statesToJson(record.state);
      const outputs = record.outputs && Object.fromEntries(record.outputs);
      return JSON.stringify({ v, ...record, positions, pending, history, state, outputs });
    }
    case 'planned':
      return JSON.stringify({ v, ...withInputsJson(record) });
    case 'committed':
      return JSON.stringify({ v, ...record, state: record.state && changesToJson(record.state) });
    case 'moved':
      return JSON.stringify({ v, ...record, inputs: movesToJson(record.inputs) });
    case 'output':
      return JSON.stringify({ v, ...record });
  }
}

function versionOf(record: LogRecord): number {
  if ('outputs' in record && record.outputs) return VERSION_OF.output;
  // A reader that does not know state would go on without it.
  return 'state' in record && record.state ? STATE_VERSION : VERSION_OF[record.kind];
}

/** @throws MillraceError VERSION_MISMATCH when a newer Millrace wrote it. */
export function recordFromJson(text: string): LogRecord {
  const json = JSON.parse(text) as { readonly v: number } & (
    | AnchorJson
    | ({ readonly kind: 'planned' } & PlannedJson)
    | CommittedJson
    | MovedJson
    | (LogRecord & { readonly kind: 'output' })
  );
  if (json.v > LOG_VERSION) {
    throw new MillraceError(
      'VERSION_MISMATCH',
      `a log record has version ${json.v}; this Millrace reads up to ${LOG_VERSION}`,
      {
        remedy: 'Run the version of Millrace that wrote the log, or a newer one.',
      },
    );
  }
  const { v: _, ...record } = json;
  switch (record.kind) {
    case 'anchor': {
      const { history, state, outputs, ...anchor } = record;
      return {
        ...anchor,
        fence: record.fence,
        lastCommitted: record.lastCommitted,
        positions: record.positions.map(({ input, topics }) => ({
          inputId: input,
          at: topics.flatMap(positionsOf),
        })),
        pending: record.pending && { ...record.pending, inputs: inputsFromJson(record.pending.inputs) },
        ...(history && { history: historyFromJson(history) }),
        ...(state && { state: statesFromJson(state) }),
        ...(outputs && { outputs: new Map(Object.entries(outputs)) }),
      };
    }
    case 'planned':
      return { ...record, inputs: inputsFromJson(record.inputs) };
    case 'committed': {
      const { state, ...committed } = record;
      return { ...committed, ...(state && { state: changesFromJson(state) }) };
    }
    case 'moved':
      return { ...record, abandons: record.abandons, inputs: movesFromJson(record.inputs) };
    case 'output':
      return record;
  }
}

function movesToJson(inputs: OffsetMoves['inputs']): MovedJson['inputs'] {
  return inputs.map(({ inputId, moves }) => ({
    input: inputId,
    topics: byTopic(
      moves,
      ({ partition, from, offset, leaderEpoch }): MoveTuple => [partition, from ?? null, offset, leaderEpoch],
    ),
  }));
}

function movesFromJson(inputs: MovedJson['inputs']): OffsetMoves['inputs'] {
  return inputs.map(({ input, topics }) => ({
    inputId: input,
    moves: topics.flatMap(({ topic, id, parts }) =>
      parts.map(
        ([partition, from, offset, leaderEpoch]): OffsetMove => ({
          topic,
          partition,
          offset,
          topicId: id,
          leaderEpoch,
          from: from ?? undefined,
        }),
      ),
    ),
  }));
}

function withInputsJson<P extends Pick<PlannedBatch, 'inputs'>>(
  batch: P,
): Omit<P, 'inputs'> & Pick<PlannedJson, 'inputs'> {
  const inputs = batch.inputs.map(({ inputId, ranges }) => ({
    input: inputId,
    topics: byTopic(
      ranges,
      ({ partition, fromOffset, untilOffset, leaderEpoch = -1, untilEpoch }): RangeTuple =>
        untilEpoch === undefined
          ? [partition, fromOffset, untilOffset, leaderEpoch]
          : [partition, fromOffset, untilOffset, leaderEpoch, untilEpoch],
    ),
  }));
  return { ...batch, inputs };
}

function historyFromJson({ keepMs, batches }: NonNullable<AnchorJson['history']>): LoggedHistory {
  return {
    keepMs,
    batches: batches.map(({ batchTime, previous, inputs }) => ({
      batchTime,
      previous,
      inputs: inputsFromJson(inputs),
    })),
  };
}

function inputsFromJson(inputs: readonly InputJson<RangeTuple>[]): readonly LoggedInput[] {
  return inputs.map(({ input, topics }) => ({ inputId: input, ranges: topics.flatMap(rangesOf) }));
}

function rangesOf({ topic, id, parts }: TopicJson<RangeTuple>): LoggedInput['ranges'] {
  return parts.map(([partition, fromOffset, untilOffset, leaderEpoch, untilEpoch]) => ({
    topic,
    partition,
    fromOffset,
    untilOffset,
    ...(id === undefined ? {} : { topicId: id }),
    leaderEpoch,
    ...(untilEpoch === undefined ? {} : { untilEpoch }),
  }));
}

function positionsOf({ topic, id, parts }: TopicJson<PositionTuple>): LoggedPosition[] {
  return parts.map(([partition, offset, leaderEpoch]) => ({
    topic,
    partition,
    offset,
    topicId: id,
    leaderEpoch,
  }));
}

/** Groups neighbours of one topic; the order stays. */
function byTopic<T extends { readonly topic: string; readonly topicId?: string | undefined }, Tuple>(
  items: readonly T[],
  tuple: (item: T) => Tuple,
): TopicJson<Tuple>[] {
  const groups: { topic: string; id?: string; parts: Tuple[] }[] = [];
  for (const item of items) {
    let group = groups.at(-1);
    if (group?.topic !== item.topic || group.id !== item.topicId) {
      group = { topic: item.topic, ...(item.topicId === undefined ? {} : { id: item.topicId }), parts: [] };
      groups.push(group);
    }
    group.parts.push(tuple(item));
  }
  return groups;
}
