import { beforeAll, describe, expect, it } from '@jest/globals';
import { figure, seconds } from '../support/figure.ts';
import { endOf } from '../support/process-end.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';
import { useTestCluster } from '../support/use-test-cluster.ts';

const TIMEOUT_MS = 120_000;
/** Memory fills slowly on a busy machine, twice. */
const END_MS = 110_000;

const kafka = useKafkaUnderTest();
const cluster = useTestCluster(kafka, { executorArgs: ['--slot-memory-bytes-max', String(512 << 20)] });
let topic: string;

beforeAll(async () => {
  topic = await kafka.topic('hostile', 1);
  await kafka.client.producer().send(topic, [{ value: 'a' }, { value: 'b' }]);
}, TIMEOUT_MS);

interface ExecutorView {
  readonly executorId: string;
  readonly pid: number;
  readonly registeredAt: number;
}

async function executor(): Promise<ExecutorView> {
  return until('the executor', async () => {
    const { stdout } = await cluster.cli(['list', '--json', '--driver', cluster.address]);
    const { executors } = JSON.parse(stdout) as { executors: ExecutorView[] };
    return executors[0];
  });
}

const DEEDS: readonly (readonly [string, string])[] = [
  ['loop', 'TASK_TIMEOUT'],
  ['exit', 'SLOT_LOST'],
  ['exit-7', 'SLOT_LOST'],
  ['kill', 'SLOT_LOST'],
  ['kill-9', 'SLOT_LOST'],
  ['abort', 'SLOT_LOST|TASK_OOM'],
  ['arrays', 'TASK_OOM'],
  ['buffers', 'TASK_OOM'],
  ['json', 'TASK_OOM|USER_CODE'],
  ['native', 'TASK_TIMEOUT'],
  ['native-loop', 'TASK_TIMEOUT'],
  ['unhandled-rejection', 'USER_CODE|SLOT_LOST'],
  ['late-throw', 'USER_CODE|SLOT_LOST'],
];

// That heartbeats never gap by more than 3 s meanwhile is measured in packages/executor/src/hostile-tasks.test.ts.
describe('a lambda that does its worst', () => {
  it.each(DEEDS)(
    '%s ends in %s that names topic, partition and offsets; the executor stays',
    async (deed, code) => {
      const before = await executor();
      const at = performance.now();
      const job = cluster.submit('hostile-job', {
        HOSTILE_NAME: `hostile-${deed}`,
        HOSTILE_DEED: deed,
        HOSTILE_TOPIC: topic,
        // Only what is to run into it has a short one: memory fills slowly on a busy machine.
        HOSTILE_TIMEOUT_MS: code === 'TASK_TIMEOUT' ? '3000' : '60000',
      });
      expect(await endOf(job, END_MS)).toBe(1);
      const ms = performance.now() - at;
      expect(job.errors).toMatch(new RegExp(`"(${code})"`));
      expect(job.errors).toContain(topic);
      expect(job.errors).toMatch(/\[0, 2\)|"fromOffset":0,"untilOffset":2/);
      const after = await executor();
      expect([after.executorId, after.pid, after.registeredAt]).toEqual([
        before.executorId,
        before.pid,
        before.registeredAt,
      ]);
      const said = new RegExp(`"(${code})"`).exec(job.errors)?.[1];
      figure(
        26,
        `${deed}: ${said} of ${topic} [0, 2) after ${seconds(ms)}, two attempts; executor pid ${after.pid} as before`,
      );
    },
    TIMEOUT_MS,
  );
});
