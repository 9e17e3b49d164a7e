import { deserialize } from 'node:v8';
import { describe, expect, it } from '@jest/globals';
import type { ActionCall, RddNode, StoredNode } from '@millrace/api/internal';
import { decodeStage, decodeTask } from '@millrace/proto/task';
import { merge, operator, rows, shuffle } from '../testing/datasets.ts';
import type { Pipeline, Stage } from './stage.ts';
import { buildStages } from './stage-builder.ts';
import { encodeStageTasks } from './stage-encoder.ts';
import { describeInput } from './task-input.ts';

const plan = (node: RddNode, kind: ActionCall['kind'] = 'collect', partitions?: readonly number[]) =>
  buildStages(
    {
      node,
      action: { kind, functions: [], numbers: [], place: 'job.ts:9:9' },
      ...(partitions ? { partitions } : {}),
    },
    1,
    () => '',
  );

const storedText = (stored: StoredNode): string =>
  stored.kind === 'shuffle' ? `${stored.partitioner.kind} ${stored.partitioner.partitions}` : stored.kind;

/** Stages as a person reads them. */
function text(stages: readonly Stage[]): string[] {
  return stages.flatMap((stage) => [
    `stage ${stage.id} ${stage.kind === 'map' ? `→ ${storedText(stage.stored)}` : stage.action.kind}` +
      ` of [${stage.dependencies.join()}]`,
    ...stage.pipelines.map((pipeline, index) => `  ${'abcdefgh'[index]} = ${chain(pipeline)}`),
    ...stage.tasks.map(
      ({ partition, pipeline, input }) => `  ${partition}: ${'abcdefgh'[pipeline]} ${describeInput(input)}`,
    ),
    ...(stage.known.size === 0 ? [] : [`  known: ${[...stage.known].join()}`]),
  ]);
}

function chain({ source, operators }: Pipeline): string {
  const from =
    source.kind === 'merge' ? `${source.how}(${source.children.map(chain).join(', ')})` : source.kind;
  return [from, ...operators.map(({ kind }) => kind)].join(' > ');
}

const kafka = (...spans: readonly number[]): RddNode => ({
  kind: 'kafka',
  source: {
    sourceId: 0,
    client: {},
    groupId: 'g',
    isolation: 'read_committed',
    key: { name: 'utf8', nullable: true },
    value: { name: 'json', nullable: false },
    location: { kind: 'PreferConsistent' },
  } as unknown as Extract<RddNode, { kind: 'kafka' }>['source'],
  ranges: spans.map((span, partition) => ({
    topic: 'views',
    partition,
    fromOffset: 10,
    untilOffset: 10 + span,
    topicId: 'T',
  })),
});

const counts = (parent: RddNode, partitions: number): RddNode =>
  operator(shuffle(operator(operator(parent, 'map'), 'combine'), partitions), 'mergeCombiners');

describe('stage plans', () => {
  it('reduceByKey: a map stage and the stage that reads it', () => {
    expect(text(plan(operator(counts(kafka(5, 6), 2), 'filter')))).toEqual([
      'stage 1 → hash 2 of []',
      '  a = kafka > map > combine',
      '  0: a views-0 [10, 15)',
      '  1: a views-1 [10, 16)',
      'stage 2 collect of [1]',
      '  a = shuffle > mergeCombiners > filter',
      '  0: a bucket 0 of stage 1',
      '  1: a bucket 1 of stage 1',
    ]);
  });

  it('shuffles one after the other', () => {
    const stages = plan(counts(operator(counts(rows([1], [2]), 2), 'map'), 1));
    expect(text(stages)).toEqual([
      'stage 1 → hash 2 of []',
      '  a = rows > map > combine',
      '  0: a 1 rows',
      '  1: a 1 rows',
      'stage 2 → hash 1 of [1]',
      '  a = shuffle > mergeCombiners > map > map > combine',
      '  0: a bucket 0 of stage 1',
      '  1: a bucket 1 of stage 1',
      'stage 3 collect of [2]',
      '  a = shuffle > mergeCombiners',
      '  0: a bucket 0 of stage 2',
    ]);
  });

  it('a join of what is shuffled and what was partitioned alike before', () => {
    const users = operator(shuffle(rows([1]), 2), 'group');
    const joined = operator(merge('cogroup', shuffle(kafka(1, 1), 2), users), 'joinRows');
    expect(text(plan(joined))).toEqual([
      'stage 1 → hash 2 of []',
      '  a = kafka',
      '  0: a views-0 [10, 11)',
      '  1: a views-1 [10, 11)',
      'stage 2 → hash 2 of []',
      '  a = rows',
      '  0: a 1 rows',
      'stage 3 collect of [1,2]',
      '  a = cogroup(shuffle, shuffle > group) > joinRows',
      '  0: a bucket 0 of stage 1 and bucket 0 of stage 2',
      '  1: a bucket 1 of stage 1 and bucket 1 of stage 2',
    ]);
  });

  it('a shuffle that is used twice is one map stage', () => {
    const once = shuffle(rows([1], [2]), 1);
    const stages = plan(merge('cogroup', operator(once, 'mapValues'), shuffle(operator(once, 'map'), 1)));
    expect(text(stages)).toEqual([
      'stage 1 → hash 1 of []',
      '  a = rows',
      '  0: a 1 rows',
      '  1: a 1 rows',
      'stage 2 → hash 1 of [1]',
      '  a = shuffle > map',
      '  0: a bucket 0 of stage 1',
      'stage 3 collect of [1,2]',
      '  a = cogroup(shuffle > mapValues, shuffle)',
      '  0: a bucket 0 of stage 1 and bucket 0 of stage 2',
    ]);
  });

  it('a union of what is shuffled and what is not', () => {
    const union: RddNode = { kind: 'union', parents: [shuffle(rows([1]), 2), rows([1, 2], [])] };
    expect(text(plan(operator(union, 'map')))).toEqual([
      'stage 1 → hash 2 of []',
      '  a = rows',
      '  0: a 1 rows',
      'stage 2 collect of [1]',
      '  a = shuffle > map',
      '  b = rows > map',
      '  0: a bucket 0 of stage 1',
      '  1: a bucket 1 of stage 1',
      '  2: b 2 rows',
      '  known: 3',
    ]);
  });

  it('cartesian: each with each, the second one faster; a pipeline for each pair of chains that occurs', () => {
    const left: RddNode = { kind: 'union', parents: [rows([1]), kafka(3)] };
    expect(text(plan(merge('cartesian', left, rows([1, 2], [], [1, 2, 3]))))).toEqual([
      'stage 1 collect of []',
      '  a = cartesian(rows, rows)',
      '  b = cartesian(kafka, rows)',
      '  0: a 1 rows and 2 rows',
      '  2: a 1 rows and 3 rows',
      '  3: b views-0 [10, 13) and 2 rows',
      '  5: b views-0 [10, 13) and 3 rows',
      '  known: 1,4',
    ]);
  });

  it('lets operators see the index of their partition in their own dataset', () => {
    const indexed = (node: RddNode): RddNode => operator(node, 'withIndex');
    const basesOf = (pipeline: Pipeline): unknown[] => [
      ...(pipeline.source.kind === 'merge' ? pipeline.source.children.map(basesOf) : []),
      ...pipeline.operators.map(({ kind, numbers }) => `${kind} ${numbers.join()}`),
    ];
    const basesOfPlan = (node: RddNode) => plan(node).at(-1)?.pipelines.map(basesOf);
    const union: RddNode = {
      kind: 'union',
      parents: [
        indexed(rows([1], [2])),
        { kind: 'union', parents: [rows([3]), indexed(merge('zip', indexed(rows([4])), rows([4])))] },
      ],
    };
    expect(basesOfPlan(indexed(union))).toEqual([
      ['withIndex ', 'withIndex '],
      ['withIndex '],
      [['withIndex 3'], [], 'withIndex 3', 'withIndex '],
    ]);
    expect(basesOfPlan(merge('cartesian', indexed(rows([1], [2])), rows([3], [4])))).toEqual([
      [['withIndex '], []],
      [['withIndex 1'], []],
      [['withIndex 2'], []],
    ]);
  });

  it('zip runs unless both sides are empty', () => {
    expect(text(plan(merge('zip', rows([], [], [1]), operator(rows([], [1], []), 'map'))))).toEqual([
      'stage 1 collect of []',
      '  a = zip(rows, rows > map)',
      '  1: a 0 rows and 1 rows',
      '  2: a 1 rows and 0 rows',
      '  known: 0',
    ]);
    expect(() => plan(merge('zip', rows([1]), rows([1], [2])))).toThrow(/as many partitions/);
  });

  it('map tasks of empty ranges need not run, unless an operator makes rows of nothing', () => {
    expect(text(plan(shuffle(operator(kafka(0, 5), 'map'), 1))).slice(0, 4)).toEqual([
      'stage 1 → hash 1 of []',
      '  a = kafka > map',
      '  1: a views-1 [10, 15)',
      '  known: 0',
    ]);
    const made = plan(shuffle(operator(kafka(0, 5), 'mapPartitions'), 1));
    expect(made[0]?.tasks).toHaveLength(2);
  });

  it('computes of the last stage only what is asked for, and no map stage that nobody reads then', () => {
    const union: RddNode = { kind: 'union', parents: [rows([1]), shuffle(rows([1], [2]), 3)] };
    expect(text(plan(union, 'take', [0]))).toEqual([
      'stage 1 take of []',
      '  a = rows',
      '  b = shuffle',
      '  0: a 1 rows',
    ]);
    expect(text(plan(union, 'take', [2])).slice(-2)).toEqual(['  b = shuffle', '  2: b bucket 1 of stage 1']);
  });

  it('tells tasks of each Kafka source below once', () => {
    const stream = kafka(1, 1);
    const both = merge('cogroup', shuffle(stream, 2), shuffle(operator(stream, 'map'), 2));
    expect(plan(both).map(({ ranges }) => ranges.length)).toEqual([2, 2, 2]);
  });

  it('gives tasks that merge the place of their Kafka range', () => {
    const [stage] = plan(merge('zip', rows([1]), kafka(1)));
    expect(stage?.tasks[0]?.preference).toMatchObject({ kind: 'consistent', key: 'views-0' });
  });

  it('plans a long chain of joins with oneself in reasonable time', () => {
    let shared: RddNode = rows([1]);
    for (let round = 0; round < 500; round++) {
      const once = shuffle(shared, 1);
      shared = merge('cogroup', once, once);
    }
    expect(plan(shared)).toHaveLength(501);
  });

  it('travels: a map stage as an action, a merge with its children, buckets as blocks', () => {
    const bounds = Uint8Array.of(1, 2);
    const compare = { hash: 'C', bytes: Uint8Array.of(9), place: 'job.ts:5:5', broadcastIds: ['B'] };
    const sorted: RddNode = {
      kind: 'shuffle',
      parent: rows([1]),
      partitioner: { kind: 'range', partitions: 2, bounds, direction: -1, function: compare },
      place: 'job.ts:4:4',
    };
    const [map, , read] = plan(merge('zip', sorted, operator(shuffle(rows([2]), 2), 'values')));
    if (!map || !read) throw new Error('three stages are expected');
    const encoding = {
      batchIntervalMs: 100,
      directory: 'app/1/100/1/1',
      block: () => undefined,
      blocks: (from: number, bucket: number) => [
        {
          executorId: 'e',
          address: 'e:1',
          directory: `d${from}`,
          mapPartition: 0,
          attempt: 3,
          bucket,
          bytes: 8,
        },
      ],
    };
    const mapSet = encodeStageTasks(map, map.tasks, encoding);
    const { action } = decodeStage(mapSet.stage);
    expect(action).toMatchObject({ kind: 'shuffleWrite', closures: [{ hash: 'C' }], place: 'job.ts:4:4' });
    expect(deserialize(action.value as Uint8Array)).toMatchObject({
      directory: 'app/1/100/1/1',
      partitioner: { kind: 'range', partitions: 2, bounds, direction: -1 },
    });
    expect(mapSet.broadcasts).toEqual(['B']);
    // Only one of its tasks is missing.
    const readSet = encodeStageTasks(read, read.tasks.slice(1), encoding);
    expect(decodeStage(readSet.stage).pipelines).toMatchObject([
      {
        source: {
          kind: 'merge',
          merge: {
            how: 'zip',
            place: 'job.ts:3:3',
            children: [
              { source: { kind: 'shuffle' }, operators: [] },
              { source: { kind: 'shuffle' }, operators: [{ kind: 'values' }] },
            ],
          },
        },
      },
    ]);
    expect(readSet.tasks.map(({ partition, describes }) => [partition, describes])).toEqual([
      [1, 'bucket 1 of stage 1 and bucket 1 of stage 2'],
    ]);
    expect(decodeTask(readSet.tasks[0]?.task as Uint8Array).input).toEqual({
      kind: 'merge',
      inputs: [
        { kind: 'shuffle', blocks: encoding.blocks(1, 1) },
        { kind: 'shuffle', blocks: encoding.blocks(2, 1) },
      ],
    });
  });
});
