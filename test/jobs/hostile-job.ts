// Lambdas that do their worst to the process that runs them. The executor must not mind.
import { scryptSync } from 'node:crypto';
import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

const deeds: Readonly<Record<string, () => unknown>> = {
  loop: () => {
    for (;;);
  },
  exit: () => process.exit(),
  'exit-7': () => process.exit(7),
  kill: () => process.kill(process.pid),
  'kill-9': () => {
    process.kill(process.pid, 'SIGKILL');
    for (;;);
  },
  abort: () => process.abort(),
  arrays: () => {
    const all: unknown[] = [];
    for (;;) all.push(Array.from({ length: 1000 }, () => all.length));
  },
  buffers: () => {
    const all: Buffer[] = [];
    for (;;) all.push(Buffer.alloc(4 << 20, 1));
  },
  json: () => JSON.parse(`[${'[1],'.repeat(40_000_000)}[1]]`),
  // A long call that no JavaScript can interrupt.
  native: () => scryptSync('a', 'b', 64, { N: 2 ** 14, r: 8, p: 1000, maxmem: 2 ** 31 }),
  'native-loop': () => {
    for (;;) scryptSync('a', 'b', 64, { N: 2 ** 15, r: 8, p: 1, maxmem: 2 ** 30 });
  },
  'unhandled-rejection': () => {
    void Promise.reject(new Error('nobody waits for me'));
    return new Promise((resolve) => setTimeout(resolve, 500));
  },
  'late-throw': () => {
    setTimeout(() => {
      throw new Error('thrown from a timer');
    }, 0);
    return new Promise((resolve) => setTimeout(resolve, 500));
  },
};

export default defineJob(
  {
    name: env('HOSTILE_NAME'),
    batchInterval: '100ms',
    taskTimeout: Number(env('HOSTILE_TIMEOUT_MS')),
    taskAttemptsMax: 2,
  },
  (ssc) => {
    const deed = env('HOSTILE_DEED');
    ssc.kafka
      .createDirectStream(
        LocationStrategies.PreferConsistent,
        ConsumerStrategies.Subscribe(env('HOSTILE_TOPIC'), {
          brokers: env('KAFKA_BROKERS'),
          groupId: 'hostile',
          startFrom: 'earliest',
        }),
      )
      .foreachRDD(async (rdd) => {
        await rdd.foreachPartition(async (rows) => {
          for await (const _ of rows) await deeds[deed]?.();
        });
      });
  },
);
