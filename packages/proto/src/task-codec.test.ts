import { describe, expect, it } from '@jest/globals';
import {
  decodeMapOutput,
  decodeStage,
  decodeTask,
  encodeMapOutput,
  encodeStage,
  encodeTask,
} from './task-codec.ts';
import type { ClosureMessage, RangeMessage, StageMessage } from './task-messages.ts';

const range: RangeMessage = {
  topic: 'views',
  partition: 3,
  fromOffset: 0,
  untilOffset: 2 ** 53 - 1,
  topicId: 'Zg',
  leaderEpoch: 0,
};
const closure: ClosureMessage = { hash: 'h', snapshot: Buffer.from([1, 2]), place: 'job.ts:1:2' };
const stage: StageMessage = {
  pipelines: [
    {
      source: {
        kind: 'kafka',
        kafka: {
          clientJson: '{}',
          groupId: 'g',
          isolation: 'read_committed',
          key: { name: 'utf8', nullable: true },
          value: { name: 'custom', closure, nullable: false },
        },
      },
      operators: [{ kind: 'map', closures: [closure], numbers: [0.1, -1, 2 ** 53], place: 'job.ts:2:1' }],
    },
    { source: { kind: 'rows' }, operators: [] },
  ],
  action: {
    kind: 'fold',
    closures: [{ hash: 'large', place: 'job.ts:3:1' }],
    numbers: [],
    value: new Uint8Array(0),
    place: '',
  },
  ranges: [range, { topic: 'ü😀', partition: 0, fromOffset: 0, untilOffset: 0, topicId: '' }],
  batchIntervalMs: 100,
};

describe('stages and tasks on the wire', () => {
  it('keep a stage, absent optional fields included', () => {
    const back = decodeStage(encodeStage(stage));
    expect(back).toMatchObject({ ...stage, action: { ...stage.action, value: expect.anything() } });
    expect(back.action.value).toHaveLength(0);
    expect(back.action.closures[0]).not.toHaveProperty('snapshot');
    expect(back.ranges[1]).not.toHaveProperty('leaderEpoch');
    expect(back.ranges[0]?.leaderEpoch).toBe(0);
  });

  it('keep tasks of both inputs', () => {
    for (const input of [
      { kind: 'range', range } as const,
      { kind: 'rows', rows: Buffer.from([1]) } as const,
      { kind: 'rows', rows: Buffer.alloc(0) } as const,
    ]) {
      const back = decodeTask(encodeTask({ pipeline: 1, input, broadcasts: ['b'] }));
      expect(back).toMatchObject({ pipeline: 1, broadcasts: ['b'], input: { kind: input.kind } });
      if (back.input.kind === 'rows')
        expect(Buffer.from(back.input.rows)).toEqual('rows' in input ? input.rows : null);
      else expect(back.input).toEqual({ kind: 'range', range });
    }
  });

  it('keep what a shuffle reads, and merges of it, and what a map task leaves', () => {
    const block = { executorId: 'e', address: 'h:1', directory: 'a/1/2/3/4', mapPartition: 7, attempt: 1 };
    const shuffle = {
      kind: 'shuffle',
      blocks: [
        { ...block, bucket: 0, bytes: 2 ** 40 },
        { ...block, bucket: 0, bytes: 1, data: Buffer.from([7]) },
      ],
    } as const;
    const empty = { kind: 'shuffle', blocks: [] } as const;
    const input = { kind: 'merge', inputs: [shuffle, { kind: 'merge', inputs: [empty] }] } as const;
    expect(decodeTask(encodeTask({ pipeline: 0, input, broadcasts: [] })).input).toEqual(input);
    const child = { source: { kind: 'shuffle' }, operators: [] } as const;
    const merge = { how: 'cogroup', place: 'job.ts:1:1', children: [child, child] } as const;
    const merging = { ...stage, pipelines: [{ source: { kind: 'merge', merge }, operators: [] } as const] };
    expect(decodeStage(encodeStage(merging)).pipelines).toMatchObject(merging.pipelines);
    const output = { sizes: [0, 2 ** 50] };
    expect(decodeMapOutput(encodeMapOutput(output))).toEqual(output);
    const small = { sizes: [2, 0, 1], inline: Buffer.from([1, 2, 3]) };
    expect(decodeMapOutput(encodeMapOutput(small))).toEqual(small);
    const nothing = { sizes: [0], inline: Buffer.alloc(0) };
    expect(decodeMapOutput(encodeMapOutput(nothing))).toEqual(nothing);
  });

  it('name a thousand blocks of a shuffle in few bytes each, in their order', () => {
    const blocks = Array.from({ length: 1_000 }, (_, mapPartition) => {
      const executor = mapPartition % 7;
      return {
        executorId: `0d8f2c1e-5b7a-4c3d-9e2f-1a2b3c4d5e0${executor}`,
        address: `worker-${executor}.millrace.example:40123`,
        directory: 'page-views-per-minute/12/1766338442000/1/1',
        attempt: mapPartition === 500 ? 1 : 0,
        mapPartition,
        bucket: 999,
        bytes: 70_000 + mapPartition,
        ...(mapPartition % 100 === 3 && { data: Buffer.from([mapPartition % 256]) }),
        ...(mapPartition % 100 === 4 && { section: { file: '00000012-c1.state', offset: mapPartition } }),
      };
    });
    const input = { kind: 'shuffle', blocks } as const;
    const task = encodeTask({ pipeline: 0, input, broadcasts: [] });
    expect(decodeTask(task).input).toEqual(input);
    // One by one they took 140 bytes each.
    expect(task.length).toBeLessThan(10_000);
  });

  it('refuse offsets above 2^53−1, written or read', () => {
    const unsafe = { ...range, untilOffset: 2 ** 53 };
    const input = { kind: 'range', range: unsafe } as const;
    expect(() => encodeTask({ pipeline: 0, input, broadcasts: [] })).toThrow(
      expect.objectContaining({ code: 'OFFSET_UNSAFE', details: { topic: 'views', partition: 3 } }),
    );
    const good = Buffer.from(encodeTask({ pipeline: 0, input: { kind: 'range', range }, broadcasts: [] }));
    // The varint of 2^53−1 is seven bytes ff and 0f: one more bit.
    const at = good.indexOf(Buffer.from('ffffffffffffff0f', 'hex'));
    good[at + 7] = 0x1f;
    expect(() => decodeTask(good)).toThrow(expect.objectContaining({ code: 'OFFSET_UNSAFE' }));
  });

  it('refuse bytes that are no message, or lack what a slot needs', () => {
    for (const bytes of [new Uint8Array(), Buffer.from('garbage'), encodeStage(stage).slice(0, -3)]) {
      expect(() => decodeStage(bytes)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
    }
    expect(() => decodeTask(new Uint8Array())).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  });
});
