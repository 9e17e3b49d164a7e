import { deserialize, serialize } from 'node:v8';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { encodeAccumulatorUpdates, runWithTaskContext, taskAccumulator } from '@millrace/api/internal';
import { systemClock } from '@millrace/common';
import type { KafkaClient } from '@millrace/kafka';
import { type ActionMessage, encodeStage, encodeTask, type TaskMessage } from '@millrace/proto/task';
import { launchOf } from '../../test/test-driver.ts';
import type { TaskEngine } from './engine-ports.ts';
import type { TaskRequest } from './task-request.ts';
import { TaskRunner } from './task-runner.ts';

const action = (closures: ActionMessage['closures']): ActionMessage => ({
  kind: 'foreach',
  closures,
  numbers: [],
  place: '',
});
const stageOf = (given: ActionMessage, sources = 1): Uint8Array =>
  encodeStage({
    pipelines: Array.from({ length: sources }, () => ({ source: { kind: 'rows' }, operators: [] })),
    action: given,
    ranges: [],
    batchIntervalMs: 1,
  });
const rowsTask = (rows: unknown[], given: Partial<TaskMessage> = {}): Uint8Array =>
  encodeTask({ pipeline: 0, input: { kind: 'rows', rows: serialize(rows) }, broadcasts: [], ...given });
const { key } = launchOf('', '');
const request = { key, programHash: 'p', programDir: '/p' };
const signal = new AbortController().signal;

let asked: string[];
let opened: number;
let runner: TaskRunner;

/** Closures are names of functions. */
const functions: Record<string, (...args: never[]) => unknown> = {};
const engine: TaskEngine = {
  openProgram: () => {
    opened++;
    return Promise.resolve({
      revive: (bytes, context) => {
        const name = Buffer.from(bytes).toString();
        return Promise.resolve((...args: never[]) => functions[name]?.(context as never, ...args));
      },
      endTask: () => Promise.resolve(),
      close: () => Promise.resolve(),
    });
  },
  runPipeline: async ({ functions: revived, input }) => ({
    result: serialize(await (revived.action[0] as Function)(input)),
    records: (input as readonly unknown[]).length,
  }),
  pipelineRows: () => {
    throw new Error('not used here');
  },
  mayReuseColumns: () => false,
  connectKafka: () => ({}) as KafkaClient,
  runWithTaskContext,
  accumulator: taskAccumulator,
  encodeAccumulators: encodeAccumulatorUpdates,
};

beforeEach(() => {
  asked = [];
  opened = 0;
  runner = new TaskRunner({
    executorId: 'e-1',
    engine,
    clock: systemClock,
    fetchBlob: (hash) => {
      asked.push(hash);
      return hash === 'missing'
        ? Promise.reject(new Error('gone'))
        : Promise.resolve(hash.startsWith('fn') ? Buffer.from(hash) : serialize({ from: hash }));
    },
  });
});

const inline = (name: string): ActionMessage =>
  action([{ hash: name, snapshot: Buffer.from(name), place: '' }]);

const run = (given: TaskRequest) => runner.run(runner.prepare(given), signal);

describe('a task in its slot', () => {
  it('gets its rows, and the stage of the request before when it brings none', async () => {
    functions['sum'] = (_context: unknown, rows: number[]) => rows.reduce((a, b) => a + b, 0);
    const first = await run({ ...request, stage: stageOf(inline('sum')), task: rowsTask([1, 2]) });
    const second = await run({ ...request, task: rowsTask([3, 4]) });
    const results = [first, second].map(
      (outcome) => outcome.kind === 'succeeded' && deserialize(outcome.result),
    );
    expect(results).toEqual([3, 7]);
    expect(opened).toBe(1);
  });

  it('never runs with another stage because its own did not decode', async () => {
    await run({ ...request, stage: stageOf(inline('sum')), task: rowsTask([1]) });
    await run({ ...request, stage: Buffer.from('x'), task: rowsTask([1]) });
    const third = await run({ ...request, task: rowsTask([1]) });
    expect(third).toMatchObject({ kind: 'failed', error: { code: 'INTERNAL' } });
  });

  it('asks for a snapshot that is not in the stage, and for broadcasts once', async () => {
    functions['fn-large'] = (context: { broadcast(id: string): { value: unknown } }) =>
      context.broadcast('b1').value;
    const stage = stageOf(action([{ hash: 'fn-large', place: '' }]));
    const task = rowsTask([], { broadcasts: ['b1'] });
    for (let i = 0; i < 2; i++) {
      const outcome = await run({ ...request, stage, task });
      expect(outcome.kind === 'succeeded' && deserialize(outcome.result)).toEqual({ from: 'b1' });
    }
    expect(asked.filter((hash) => hash === 'b1')).toHaveLength(1);
  });

  it('asks for a broadcast again after it was destroyed', async () => {
    functions['reads'] = (context: { broadcast(id: string): { value: unknown } }) =>
      context.broadcast('b9').value;
    const again = { ...request, stage: stageOf(inline('reads')), task: rowsTask([], { broadcasts: ['b9'] }) };
    const runAgain = (): Promise<unknown> => runner.run(runner.prepare(again), signal);
    await runAgain();
    await runAgain();
    runner.dropBlobs(['b9', 'unknown']);
    await runAgain();
    expect(asked).toEqual(['b9', 'b9']);
  });

  it('names a broadcast that did not come with it', async () => {
    functions['other'] = (context: { broadcast(id: string): unknown }) => context.broadcast('b2');
    const outcome = await run({ ...request, stage: stageOf(inline('other')), task: rowsTask([]) });
    expect(outcome).toMatchObject({
      kind: 'failed',
      error: { code: 'BLOCK_MISSING', details: { blockId: 'b2' } },
    });
  });

  it('reports what it added to accumulators, of this attempt alone', async () => {
    functions['add'] = (context: { accumulator(id: string): { add(value: unknown): void } }) =>
      context.accumulator('sum:1').add(2);
    for (let i = 0; i < 2; i++) {
      const outcome = await run({ ...request, stage: stageOf(inline('add')), task: rowsTask([]) });
      expect(outcome.kind === 'succeeded' && deserialize(outcome.accumulators)).toEqual([['sum:1', 2]]);
    }
  });

  it.each([
    [
      'a snapshot is gone',
      () => ({ stage: stageOf(action([{ hash: 'missing', place: '' }])), task: rowsTask([]) }),
      'USER_CODE',
    ],
    ['the stage does not decode', () => ({ stage: Buffer.from('x'), task: rowsTask([]) }), 'BAD_REQUEST'],
    [
      'the task does not decode',
      () => ({ stage: stageOf(inline('sum')), task: Buffer.from('x') }),
      'BAD_REQUEST',
    ],
    [
      'there is no such pipeline',
      () => ({ stage: stageOf(inline('sum')), task: rowsTask([], { pipeline: 3 }) }),
      'INTERNAL',
    ],
    ['there was no stage', () => ({ task: rowsTask([]) }), 'INTERNAL'],
  ])('fails with a code when %s', async (_name, given, code) => {
    const outcome = await run({ ...request, ...given() });
    expect(outcome).toMatchObject({ kind: 'failed', error: { code } });
  });
});
