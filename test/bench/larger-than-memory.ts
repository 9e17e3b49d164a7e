// npm run larger-than-memory -- [--gib 4] [--memory 64] [--slot-memory 512]: groupByKey of so many GiB of rows, where an operator holds
// `memory` MiB and a slot that has more than `slot-memory` MiB is killed. Prints the peak of each process's resident memory.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { resolveConfig } from '@millrace/common';
import { connectKafka, KAFKA_OPTIONS } from '@millrace/kafka';
import { startJavaKafka } from '../brokers/java-kafka.ts';
import { TestCluster } from '../support/test-cluster.ts';
import { rounded } from './bench-result.ts';
import { descendants } from './memory.ts';

const MEBIBYTE = 1024 * 1024;
const VALUE_BYTES = 1000;
const KEYS = 200_003;
const PARTITIONS = 8;
const SAMPLE_MS = 500;

const { values } = parseArgs({
  options: {
    gib: { type: 'string', default: '4' },
    memory: { type: 'string', default: '64' },
    'slot-memory': { type: 'string', default: '512' },
  },
});

/** Peak of the resident memory of a process, in MB; 0 when it is gone. */
function peakMb(pid: number): number {
  try {
    const match = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(match?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

const rows = Math.floor((Number(values.gib) * 1024 * MEBIBYTE) / VALUE_BYTES);
const given = process.env['KAFKA_BROKERS'];
const kafka = given === undefined || given === '' ? await startJavaKafka({ heapMb: 1024 }) : undefined;
const brokers = kafka?.brokers ?? given ?? '';
const client = connectKafka(resolveConfig(KAFKA_OPTIONS, { brokers }, 'larger-than-memory'));
const topic = `millrace-larger-${randomUUID().slice(0, 8)}`;
await client.createTopic(topic, { partitions: 1 });
const cluster = await TestCluster.start(brokers, 2, [
  '--slots',
  '1',
  '--shuffle-memory-bytes-max',
  String(Number(values.memory) * MEBIBYTE),
  '--slot-memory-bytes-max',
  String(Number(values['slot-memory']) * MEBIBYTE),
  // Of a machine that has other things to do, too.
  '--shuffle-fetch-timeout-ms',
  '300000',
  '--slot-start-timeout-ms',
  '300000',
]);
const peaks = { supervisors: 0, slots: 0 };
const timer = setInterval(() => {
  for (const { pid } of cluster.executors) {
    peaks.supervisors = Math.max(peaks.supervisors, peakMb(pid));
    for (const slot of descendants(pid)) peaks.slots = Math.max(peaks.slots, peakMb(slot));
  }
}, SAMPLE_MS);
try {
  const started = performance.now();
  const job = cluster.submit(
    '../bench/jobs/larger-than-memory',
    {
      BIG_NAME: topic,
      BIG_ROWS: String(rows),
      BIG_KEYS: String(KEYS),
      BIG_VALUE_BYTES: String(VALUE_BYTES),
      BIG_PARTITIONS: String(PARTITIONS),
      BENCH_TOPIC: topic,
    },
    { batches: 1 },
  );
  const code = await job.exited;
  const totals = JSON.parse(job.output.at(-1) ?? '{}') as { groups?: number; rows?: number; sum?: number };
  const isRight =
    totals.groups === Math.min(KEYS, rows) && totals.rows === rows && totals.sum === (rows * (rows - 1)) / 2;
  const seconds = (performance.now() - started) / 1000;
  process.stdout.write(
    `${JSON.stringify({
      gib: Number(values.gib),
      rows,
      groups: totals.groups,
      isRight,
      seconds: rounded(seconds, 0),
      supervisorPeakMb: rounded(peaks.supervisors, 0),
      slotPeakMb: rounded(peaks.slots, 0),
      slotMemoryMb: Number(values['slot-memory']),
      errors: JSON.parse(job.errors) as unknown,
    })}\n`,
  );
  if (code !== 0 || !isRight) process.exitCode = 1;
} finally {
  clearInterval(timer);
  await cluster.close();
  await client.deleteTopic(topic);
  await client.close();
  await kafka?.stop();
}
