import { describe, expect, it } from '@jest/globals';
import type { ActionCall, KafkaSourceInfo, OperatorCall, RddNode } from '@millrace/api/internal';
import { decodeResult } from '@millrace/api/internal';
import { decodeStage, decodeTask } from '@millrace/proto/task';
import type { Stage } from './stage.ts';
import { buildStages } from './stage-builder.ts';
import { encodeStageTasks } from './stage-encoder.ts';

const info = (location: KafkaSourceInfo['location'] = { kind: 'PreferConsistent' }): KafkaSourceInfo => ({
  sourceId: 0,
  client: { brokers: ['b:1'] } as unknown as KafkaSourceInfo['client'],
  groupId: 'g',
  isolation: 'read_committed',
  key: { name: 'utf8', nullable: true },
  value: { name: 'json', nullable: false },
  location,
});

const kafka = (
  spans: readonly number[],
  location?: KafkaSourceInfo['location'],
  topic = 'views',
): RddNode => ({
  kind: 'kafka',
  source: info(location),
  ranges: spans.map((span, partition) => ({
    topic,
    partition,
    fromOffset: 10,
    untilOffset: 10 + span,
    topicId: 'T',
    leaderEpoch: 4,
  })),
});

const operator = (parent: RddNode, kind: OperatorCall['kind'], bytes = 3): RddNode => ({
  kind: 'operator',
  parent,
  operator: {
    kind,
    functions: [
      { hash: `${kind}-${bytes}`, bytes: new Uint8Array(bytes), place: 'job.ts:1:2', broadcastIds: ['B'] },
    ],
    numbers: [1.5],
    place: 'job.ts:1:2',
  },
});

const action = (kind: ActionCall['kind']): ActionCall => ({
  kind,
  functions: [],
  numbers: [],
  place: 'job.ts:9:9',
});

const build = (node: RddNode, kind: ActionCall['kind'] = 'count', partitions?: number[]) => {
  const [stage, ...others] = buildStages(
    { node, action: action(kind), ...(partitions ? { partitions } : {}) },
    1,
    ({ partition }) => (partition === 1 ? '' : `leader-${partition}`),
  );
  if (!stage || others.length > 0) throw new Error('one stage is expected');
  return stage;
};

const encode = (stage: Stage, batchIntervalMs: number) =>
  encodeStageTasks(stage, stage.tasks, {
    batchIntervalMs,
    directory: 'a/1/100/1/1',
    block: () => undefined,
    blocks: () => [],
  });

describe('the stage builder', () => {
  it('makes one task a partition, with its operators in order', () => {
    const stage = build(operator(operator(kafka([5, 6]), 'map'), 'filter'));
    expect(stage.tasks.map(({ partition, pipeline }) => [partition, pipeline])).toEqual([
      [0, 0],
      [1, 0],
    ]);
    expect(stage.pipelines[0]?.operators.map(({ kind }) => kind)).toEqual(['map', 'filter']);
    expect(stage.dependencies).toEqual([]);
  });

  it('makes no task for an empty range: its result is known', () => {
    const stage = build(operator(kafka([5, 0, 0]), 'map'));
    expect(stage.tasks.map(({ partition }) => partition)).toEqual([0]);
    expect([...stage.known]).toEqual([1, 2]);
    expect(decodeResult(stage.emptyResult as Uint8Array)).toBe(0);
  });

  it.each([
    ['an operator makes rows of nothing', operator(kafka([0, 0]), 'mapPartitions'), 'count'],
    ['an action wants to see every partition', kafka([0, 0]), 'foreachPartition'],
  ] as const)('runs tasks of empty ranges when %s', (_, node, kind) => {
    expect(build(node, kind).tasks).toHaveLength(2);
  });

  it('numbers the partitions of a union through, with a pipeline for each parent', () => {
    const union: RddNode = {
      kind: 'union',
      parents: [operator(kafka([1, 1]), 'map'), { kind: 'rows', partitions: [[1], [2, 3]] }],
    };
    const stage = build(operator(union, 'filter'));
    expect(
      stage.pipelines.map(({ source, operators }) => [source.kind, ...operators.map(({ kind }) => kind)]),
    ).toEqual([
      ['kafka', 'map', 'filter'],
      ['rows', 'filter'],
    ]);
    expect(
      stage.tasks.map(({ partition, pipeline, preference }) => [partition, pipeline, preference.kind]),
    ).toEqual([
      [0, 0, 'consistent'],
      [1, 0, 'consistent'],
      [2, 1, 'any'],
      [3, 1, 'any'],
    ]);
  });

  it('computes only the partitions that are asked for, and refuses one that is not there', () => {
    expect(build(kafka([1, 1, 1]), 'take', [2, 0]).tasks.map(({ partition }) => partition)).toEqual([0, 2]);
    expect(() => build(kafka([1]), 'take', [1])).toThrow(/task partition 1 exists/);
  });

  it.each<[KafkaSourceInfo['location'], object[]]>([
    [
      { kind: 'PreferConsistent' },
      [{ kind: 'consistent', key: 'views-0', affinity: 'g/read_committed/views-0' }, { kind: 'consistent' }],
    ],
    [
      { kind: 'PreferBrokers' },
      [
        { kind: 'host', host: 'leader-0', key: 'views-0' },
        { kind: 'consistent', key: 'views-1' },
      ],
    ],
    [
      { kind: 'PreferFixed', hosts: { 'views-1': 'h' } },
      [{ kind: 'consistent' }, { kind: 'host', host: 'h', affinity: 'g/read_committed/views-1' }],
    ],
  ])('prefers as %j says', (location, expected) => {
    expect(build(kafka([1, 1], location)).tasks.map(({ preference }) => preference)).toMatchObject(expected);
  });

  it('is encoded once for all tasks; large snapshots travel as blobs', () => {
    const large = 64 * 1024 + 1;
    const encoded = encode(build(operator(operator(kafka([5, 6]), 'map'), 'filter', large)), 250);
    const stage = decodeStage(encoded.stage);
    expect(stage.batchIntervalMs).toBe(250);
    expect(stage.ranges).toHaveLength(2);
    const closures = stage.pipelines[0]?.operators.map(({ closures: [closure] }) => closure);
    expect(closures?.map((closure) => closure?.snapshot?.length)).toEqual([3, undefined]);
    expect([...encoded.blobs].map(([hash, bytes]) => [hash, bytes.length])).toEqual([
      [`filter-${large}`, large],
    ]);
    expect(encoded.broadcasts).toEqual(['B']);
    expect(encoded.tasks.map(({ describes }) => describes)).toEqual(['views-0 [10, 15)', 'views-1 [10, 16)']);
    expect(decodeTask(encoded.tasks[1]?.task as Uint8Array)).toMatchObject({
      pipeline: 0,
      broadcasts: ['B'],
      input: {
        kind: 'range',
        range: {
          topic: 'views',
          partition: 1,
          fromOffset: 10,
          untilOffset: 16,
          topicId: 'T',
          leaderEpoch: 4,
        },
      },
    });
  });
});
