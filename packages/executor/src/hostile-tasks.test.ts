import { describe, expect, it } from '@jest/globals';
import { errorOf, resultOf, useExecutorBench } from '../test/executor-bench.ts';

const bench = useExecutorBench();

describe('hostile tasks', () => {
  const cases: ReadonlyArray<readonly [string, string, string, object?]> = [
    ['loops for ever', '() => { while (true) {} }', 'TASK_TIMEOUT', { timeoutMs: 1_500 }],
    [
      'is in a long native call',
      '() => load("node:crypto").then((c) => c.pbkdf2Sync("a", "b", 2e9, 64, "sha512"))',
      'TASK_TIMEOUT',
      { timeoutMs: 1_500 },
    ],
    ['exits', '() => process.exit(3)', 'SLOT_LOST'],
    ['kills its process', '() => { process.kill(process.pid); return new Promise(() => {}) }', 'SLOT_LOST'],
    ['aborts', '() => process.abort()', 'SLOT_LOST'],
    [
      'allocates arrays without end',
      '() => { const all = []; for (;;) all.push(new Array(1000).fill(all.length)) }',
      'TASK_OOM',
    ],
    [
      'allocates Buffers without end',
      '() => { const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1)) }',
      'TASK_OOM',
    ],
    ['parses one huge JSON', '() => JSON.parse("[" + "[1],".repeat(2e7) + "1]")', 'TASK_OOM'],
    [
      'throws outside of its flow',
      '() => { setTimeout(() => { throw new Error("stray") }); return new Promise(() => {}) }',
      'USER_CODE',
    ],
  ];

  it.each(cases)(
    'a task that %s fails with a code; the executor goes on',
    async (_name, source, code, given = {}) => {
      const executor = await bench.start();
      await executor.registered;
      const before = await bench.slotPid();
      const ended = await bench.run(source, given);
      const error = errorOf(ended);
      expect(error.code).toBe(code);
      expect(error.details).toMatchObject({
        topic: 'views',
        partition: 3,
        fromOffset: 100,
        untilOffset: 110,
      });
      if (code !== 'USER_CODE') {
        expect(ended.failure?.kind).toBe('slot');
        expect(error.message).toContain('views-3 [100, 110)');
      }
      const after = resultOf(await bench.run('() => process.pid', { key: { attempt: 1 } }));
      expect(after).not.toBe(before);
      expect(bench.driver.registers).toHaveLength(1);
      expect(bench.driver.registers[0]?.pid).toBe(process.pid);
      const gaps = bench.driver.heartbeats.map(
        ({ at }, i) => at - (bench.driver.heartbeats[i - 1]?.at ?? at),
      );
      expect(Math.max(...gaps)).toBeLessThan(3_000);
    },
    60_000,
  );
});
