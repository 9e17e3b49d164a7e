import {
  emptyResult,
  isEmptyPreserving,
  type JobRequest,
  type KafkaSourceInfo,
  type OperatorCall,
  offsetRangesOf,
  type RddNode,
} from '@millrace/api/internal';
import { assertNever, invariant } from '@millrace/common';
import { type OffsetRange, offsetSpan, type TopicPartition, topicPartitionKey } from '@millrace/kafka';
import type { TaskPreference } from '../../task-backend.ts';
import type { Pipeline, Stage, StageId, StageTask, TaskInput } from './stage.ts';

/** Host of a partition's leader; '' when it is not known. */
export type LeaderHost = (tp: TopicPartition) => string;

interface Source {
  readonly pipeline: Pipeline;
  readonly inputs: readonly TaskInput[];
}

/** Cuts a job into stages, those that others depend on first. Narrow operators only, so far: one stage. */
export function buildStages(request: JobRequest, firstId: number, leaderHost: LeaderHost): readonly Stage[] {
  const { node, action } = request;
  const sources = sourcesOf(node, []);
  const wanted = request.partitions && new Set(request.partitions);
  const empty = emptyResult(action);
  const tasks: StageTask[] = [];
  const known = new Map<number, Uint8Array>();
  let partition = 0;
  for (const [pipeline, { pipeline: chain, inputs }] of sources.entries()) {
    const skipEmpty = empty !== undefined && chain.operators.every(({ kind }) => isEmptyPreserving(kind));
    for (const input of inputs) {
      if (wanted === undefined || wanted.has(partition)) {
        if (skipEmpty && isEmpty(input)) known.set(partition, empty);
        else tasks.push({ partition, pipeline, input, preference: preferenceOf(chain, input, leaderHost) });
      }
      partition++;
    }
  }
  for (const index of request.partitions ?? [])
    invariant(index < partition, `task partition ${index} exists`);
  return [
    {
      kind: 'result',
      id: firstId as StageId,
      dependencies: [],
      pipelines: sources.map(({ pipeline }) => pipeline),
      action,
      ranges: offsetRangesOf(node),
      tasks,
      known,
    },
  ];
}

/** What a task reads, for errors: "views-3 [100, 200)". */
export function describeInput(input: TaskInput): string {
  if (input.kind === 'rows') return `${input.rows.length} rows`;
  const { fromOffset, untilOffset } = input.range;
  return `${topicPartitionKey(input.range)} [${fromOffset}, ${untilOffset})`;
}

/** One chain a source, in task partition order. */
function sourcesOf(node: RddNode, above: readonly OperatorCall[]): readonly Source[] {
  switch (node.kind) {
    case 'kafka':
      return [
        {
          pipeline: { source: { kind: 'kafka', info: node.source }, operators: above },
          inputs: node.ranges.map((range): TaskInput => ({ kind: 'range', range })),
        },
      ];
    case 'rows':
      return [
        {
          pipeline: { source: { kind: 'rows' }, operators: above },
          inputs: node.partitions.map((rows): TaskInput => ({ kind: 'rows', rows })),
        },
      ];
    case 'operator':
      return sourcesOf(node.parent, [node.operator, ...above]);
    case 'union':
      return node.parents.flatMap((parent) => sourcesOf(parent, above));
    default:
      return assertNever(node, 'kind of dataset');
  }
}

function isEmpty(input: TaskInput): boolean {
  return input.kind === 'range' ? offsetSpan(input.range) === 0 : input.rows.length === 0;
}

function preferenceOf({ source }: Pipeline, input: TaskInput, leaderHost: LeaderHost): TaskPreference {
  if (source.kind === 'rows' || input.kind === 'rows') return { kind: 'any' };
  const key = topicPartitionKey(input.range);
  const affinity = consumerAffinity(source.info, input.range);
  const host = hostOf(source.info, key, input.range, leaderHost);
  return host === '' ? { kind: 'consistent', key, affinity } : { kind: 'host', host, key, affinity };
}

function hostOf(
  { location }: KafkaSourceInfo,
  key: string,
  range: OffsetRange,
  leaderHost: LeaderHost,
): string {
  switch (location.kind) {
    case 'PreferConsistent':
      return '';
    case 'PreferBrokers':
      return leaderHost(range);
    case 'PreferFixed':
      return location.hosts[key] ?? '';
    default:
      return assertNever(location, 'location strategy');
  }
}

/** What the slots' consumer caches go by. */
export function consumerAffinity(
  { groupId, isolation }: Pick<KafkaSourceInfo, 'groupId' | 'isolation'>,
  range: OffsetRange,
): string {
  return `${groupId}/${isolation}/${topicPartitionKey(range)}`;
}
