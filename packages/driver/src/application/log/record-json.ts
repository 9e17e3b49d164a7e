import { MillraceError } from '@millrace/common';
import {
  LOG_VERSION,
  type LoggedInput,
  type LoggedPosition,
  type LogRecord,
  type PlannedBatch,
} from './log-record.ts';

// In JSON partitions are grouped by topic, and each is a tuple: a batch of a thousand partitions takes 30 KB, not 150.
interface TopicJson<Tuple> {
  readonly topic: string;
  readonly id?: string;
  readonly parts: readonly Tuple[];
}
type RangeTuple = readonly [partition: number, from: number, until: number, leaderEpoch: number];
type PositionTuple = readonly [partition: number, offset: number, leaderEpoch: number];
type InputJson<Tuple> = { readonly input: number; readonly topics: readonly TopicJson<Tuple>[] };

type PlannedJson = Omit<PlannedBatch, 'inputs'> & { readonly inputs: readonly InputJson<RangeTuple>[] };
type AnchorJson = Omit<LogRecord & { kind: 'anchor' }, 'positions' | 'pending'> & {
  readonly positions: readonly InputJson<PositionTuple>[];
  readonly pending?: PlannedJson;
};

/** The JSON text of a record. Never contains a line break or a NUL. */
export function recordToJson(record: LogRecord): string {
  switch (record.kind) {
    case 'anchor': {
      const positions = record.positions.map(({ inputId, at }) => ({
        input: inputId,
        topics: byTopic(
          at,
          ({ partition, offset, leaderEpoch }): PositionTuple => [partition, offset, leaderEpoch],
        ),
      }));
      const pending = record.pending && plannedToJson(record.pending);
      return JSON.stringify({ v: LOG_VERSION, ...record, positions, pending });
    }
    case 'planned':
      return JSON.stringify({ v: LOG_VERSION, ...plannedToJson(record) });
    case 'committed':
      return JSON.stringify({ v: LOG_VERSION, ...record });
  }
}

/** @throws MillraceError VERSION_MISMATCH when a newer Millrace wrote it. */
export function recordFromJson(text: string): LogRecord {
  const json = JSON.parse(text) as { readonly v: number } & (
    | AnchorJson
    | ({ readonly kind: 'planned' } & PlannedJson)
    | (LogRecord & { kind: 'committed' })
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
    case 'anchor':
      return {
        ...record,
        fence: record.fence,
        lastCommitted: record.lastCommitted,
        positions: record.positions.map(({ input, topics }) => ({
          inputId: input,
          at: topics.flatMap(positionsOf),
        })),
        pending: record.pending && plannedFromJson(record.pending),
      };
    case 'planned':
      return { ...plannedFromJson(record), kind: 'planned' };
    case 'committed':
      return record;
  }
}

function plannedToJson<P extends PlannedBatch>(planned: P): Omit<P, 'inputs'> & PlannedJson {
  const inputs = planned.inputs.map(({ inputId, ranges }) => ({
    input: inputId,
    topics: byTopic(
      ranges,
      ({ partition, fromOffset, untilOffset, leaderEpoch }): RangeTuple => [
        partition,
        fromOffset,
        untilOffset,
        leaderEpoch ?? -1,
      ],
    ),
  }));
  return { ...planned, inputs };
}

function plannedFromJson(json: PlannedJson): PlannedBatch {
  return {
    ...json,
    inputs: json.inputs.map(
      ({ input, topics }): LoggedInput => ({ inputId: input, ranges: topics.flatMap(rangesOf) }),
    ),
  };
}

function rangesOf({ topic, id, parts }: TopicJson<RangeTuple>): LoggedInput['ranges'] {
  return parts.map(([partition, fromOffset, untilOffset, leaderEpoch]) => ({
    topic,
    partition,
    fromOffset,
    untilOffset,
    ...(id === undefined ? {} : { topicId: id }),
    leaderEpoch,
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
