import { describe, expect, it } from '@jest/globals';
import { runWithTaskContext, TaskContext, type TaskContextData } from './task-context.ts';

const taskOf = (given: Partial<TaskContextData> = {}): TaskContextData =>
  ({ partitionId: 3, accumulators: new Map(), completions: [], ...given }) as unknown as TaskContextData;

describe('the context of a task', () => {
  it('shows facts, and nothing of the engine', async () => {
    const signal = new AbortController().signal;
    const [facts, again] = await runWithTaskContext(taskOf({ signal, jobId: 2 }), async () => [
      TaskContext.get(),
      TaskContext.current(),
    ]);
    expect(facts).toBe(again);
    expect(facts).toEqual({ partitionId: 3, jobId: 2, signal, onCompletion: expect.any(Function) });
    expect(() => Object.assign(facts as object, { partitionId: 4 })).toThrow(TypeError);
  });

  it('calls completion listeners, the last one first, with the error, and waits for them', async () => {
    const log: unknown[] = [];
    const run = (fails: boolean): Promise<string> =>
      runWithTaskContext(taskOf(), async () => {
        const { onCompletion } = TaskContext.get();
        onCompletion((error) => void log.push(['first', error]));
        onCompletion(async (why) => {
          await Promise.resolve();
          log.push(['second', why]);
          TaskContext.get().onCompletion(() => void log.push('one more'));
        });
        await Promise.resolve();
        if (fails) throw 'thrown';
        return 'done';
      });
    expect(await run(false)).toBe('done');
    expect(log.splice(0)).toEqual([['second', undefined], 'one more', ['first', undefined]]);
    await expect(run(true)).rejects.toBe('thrown');
    expect(log).toEqual([['second', 'thrown'], 'one more', ['first', 'thrown']]);
  });

  it('fails with what a listener throws, unless the task itself had failed', async () => {
    const log: string[] = [];
    const run = (work: () => string): Promise<string> =>
      runWithTaskContext(taskOf(), async () => {
        const { onCompletion } = TaskContext.get();
        onCompletion(() => void log.push('called all the same'));
        onCompletion(() => Promise.reject(new Error('of the listener')));
        return work();
      });
    await expect(run(() => 'fine')).rejects.toThrow('of the listener');
    const fail = (): never => {
      throw new Error('of the task');
    };
    await expect(run(fail)).rejects.toThrow('of the task');
    expect(log).toHaveLength(2);
  });

  it('answers in a task and in what it awaits, and refuses on the driver', async () => {
    await runWithTaskContext(taskOf(), async () => {
      await Promise.resolve();
      expect(TaskContext.get().partitionId).toBe(3);
    });
    expect(TaskContext.current()).toBeUndefined();
    expect(() => TaskContext.get()).toThrow('was called on the driver');
  });
});
