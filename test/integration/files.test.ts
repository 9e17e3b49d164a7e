// Files of streams, while processes that write them stand still and come back: what a reader of the directories sees.
import { randomUUID } from 'node:crypto';
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { ChildCommand } from '../../packages/cli/src/processes/child-command.ts';
import { checkLedger, verdictText } from '../ledger/ledger-checker.ts';
import { childPids } from '../support/child-pids.ts';
import { LedgerProducer } from '../support/produce-ledger.ts';
import { savedBatches } from '../support/saved-files.ts';
import { TestCluster } from '../support/test-cluster.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';

const TIMEOUT_MS = 180_000;
const PARTITIONS = 4;
const PER_PARTITION = 1500;

const kafka = useKafkaUnderTest();

/** Files below a directory that a process has open. */
function openFiles(pid: number, directory: string): readonly string[] {
  const descriptors = `/proc/${pid}/fd`;
  try {
    return readdirSync(descriptors)
      .map((fd) => readlinkSync(join(descriptors, fd)))
      .filter((path) => path.startsWith(`${directory}/`));
  } catch {
    // It has ended, or the descriptor is closed.
    return [];
  }
}

/** Of all files of batches until a time: which inode, and when it was written. */
function identities(directory: string, untilTime: number): readonly string[] {
  return readdirSync(directory)
    .filter((name) => name.startsWith('rows-') && Number(name.slice(5)) <= untilTime)
    .toSorted()
    .flatMap((name) =>
      readdirSync(join(directory, name)).map((file) => {
        const { ino, mtimeMs } = statSync(join(directory, name, file));
        return `${name}/${file} ${ino} ${mtimeMs}`;
      }),
    );
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended.
    }
  }
}

describe('files of a stream have every record once, in order, and are left as they are', () => {
  it.each([
    ['an executor that stood still while it wrote comes back when its tasks have run elsewhere', false],
    ['it comes back under a newer run', true],
  ])(
    'when %s',
    async (_when, isOlderRun) => {
      const topic = await kafka.topic('files-in', PARTITIONS);
      const producer = new LedgerProducer(kafka.client, topic, PARTITIONS);
      await producer.append(PER_PARTITION);
      const cluster = await TestCluster.start(kafka.brokers);
      try {
        const directory = join(cluster.directory, 'files');
        const application = `files-${randomUUID().slice(0, 8)}`;
        const job = cluster.submit('files-job', {
          FILES_NAME: application,
          FILES_TOPIC: topic,
          FILES_OUT: join(directory, 'rows'),
          FILES_ROW_MS: '5',
        });
        await until('the first batches', () => job.batches.length > 1, 60_000);
        expect(JSON.stringify(job.events)).toContain('rows-…: exactly-once');
        const executor = cluster.executors[0] as ChildCommand;
        const slots = childPids(executor.pid);
        const zombies = [...slots, executor.pid];
        // In the middle of a file.
        const writing = await until('a slot that writes', () => {
          const found = slots.find((pid) => openFiles(pid, directory).length > 0);
          if (found === undefined) return undefined;
          signal(zombies, 'SIGSTOP');
          // It may have ended its file just before.
          if (openFiles(found, directory).length > 0) return found;
          signal(zombies, 'SIGCONT');
          return undefined;
        });
        let before: readonly string[] = [];
        let last = 0;
        try {
          expect(openFiles(writing, directory)).toHaveLength(1);
          const { length } = job.batches;
          if (isOlderRun) signal([await cluster.hostPid(application)], 'SIGKILL');
          await until('batches without it', () => job.batches.length > length + 2, 90_000);
          last = job.batches.at(-1)?.batchTime ?? 0;
          before = identities(directory, last);
        } finally {
          signal(zombies, 'SIGCONT');
        }
        await until('the end of what it wrote', () => openFiles(writing, directory).length === 0, 30_000);
        await until(
          'all records',
          () => savedBatches(join(directory, 'rows')).flatMap(({ lines }) => lines).length >= producer.total,
          90_000,
        );
        await cluster.cli(['stop', application, '--drain', '--driver', cluster.address]);
        expect({ code: await job.exited, errors: job.errors }).toEqual({ code: 0, errors: '[]' });
        expect(identities(directory, last)).toEqual(before);
        const rows = savedBatches(join(directory, 'rows')).map(({ lines }) =>
          lines.map((line) => {
            const { p, s } = JSON.parse(line) as { p: number; s: number };
            return { partition: p, sequence: s };
          }),
        );
        expect(verdictText(checkLedger(producer.produced, rows))).toBe('OK');
        // Nothing is left of attempts that did not count.
        expect(readdirSync(directory).filter((name) => !name.startsWith('rows-'))).toEqual([]);
      } finally {
        await cluster.close();
      }
    },
    TIMEOUT_MS,
  );
});
