// npm run soak -- [--batches 2000] [--interval 20]: many small batches; memory, handles and log size must not grow.
import { randomUUID } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { resolveConfig } from '@millrace/common';
import { connectKafka, KAFKA_OPTIONS } from '@millrace/kafka';
import { startJavaKafka } from '../brokers/java-kafka.ts';
import { BenchCluster } from './bench-cluster.ts';
import { percentile, rounded } from './bench-result.ts';
import { descendants } from './memory.ts';
import { PARTITIONS } from './topics.ts';
import { trickle } from './trickle.ts';

const SAMPLE_MS = 5000;

const { values } = parseArgs({
  options: { batches: { type: 'string', default: '2000' }, interval: { type: 'string', default: '20' } },
});

function handles(pids: readonly number[]): number {
  return pids
    .flatMap((pid) => [pid, ...descendants(pid)])
    .reduce((sum, pid) => {
      try {
        return sum + readdirSync(`/proc/${pid}/fd`).length;
      } catch {
        return sum;
      }
    }, 0);
}

function bytesBelow(directory: string): number {
  try {
    return readdirSync(directory, { recursive: true })
      .map((name) => statSync(join(directory, String(name))))
      .reduce((sum, entry) => sum + (entry.isFile() ? entry.size : 0), 0);
  } catch {
    // A file went away meanwhile; the next sample sees the rest.
    return Number.NaN;
  }
}

const given = process.env['KAFKA_BROKERS'];
const kafka = given === undefined || given === '' ? await startJavaKafka({ heapMb: 1024 }) : undefined;
const brokers = kafka?.brokers ?? given ?? '';
const client = connectKafka(resolveConfig(KAFKA_OPTIONS, { brokers }, 'soak'));
const topic = `millrace-soak-${randomUUID().slice(0, 8)}`;
await client.createTopic(topic, { partitions: PARTITIONS });
const cluster = await BenchCluster.start(brokers);
const load = trickle(client, topic, 1000);
const started = performance.now();
const sample = (): void => {
  const { driver, host, executors } = cluster.memory();
  const row = {
    seconds: rounded((performance.now() - started) / 1000, 0),
    driverMb: rounded(driver, 0),
    hostMb: rounded(host, 0),
    executorsMb: rounded(executors, 0),
    handles: handles(cluster.pids),
    applicationLogBytes: bytesBelow(join(cluster.stateDir, 'applications')),
    stateBytes: bytesBelow(cluster.stateDir),
  };
  process.stdout.write(`${JSON.stringify(row)}\n`);
};
const timer = setInterval(sample, SAMPLE_MS);
try {
  const run = await cluster.run('tiny', {
    env: { BENCH_TOPIC: topic, BENCH_NAME: 'soak', BENCH_INTERVAL: values.interval },
    conf: { batches: Number(values.batches), logSegmentBytes: 65_536, logSegmentsRetained: 4 },
  });
  const times = run.batches.map(({ processingMs }) => processingMs);
  const half = Math.floor(times.length / 2);
  process.stdout.write(
    `${JSON.stringify({
      batches: times.length,
      records: run.batches.reduce((sum, batch) => sum + batch.records, 0),
      p50FirstHalfMs: rounded(percentile(times.slice(0, half), 50)),
      p50SecondHalfMs: rounded(percentile(times.slice(half), 50)),
    })}\n`,
  );
} finally {
  clearInterval(timer);
  await load.stop();
  await cluster.stop();
  await client.deleteTopic(topic);
  await client.close();
  await kafka?.stop();
}
