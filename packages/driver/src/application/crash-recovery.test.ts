import { describe, expect, it } from '@jest/globals';
import { type Random, randomInt, seededRandom } from '@millrace/common';
import { VirtualClock } from '../../../testing/src/virtual-clock.ts';
import type { TaskDescription, TaskSet } from '../task-backend.ts';
import { readLog, recoverLog } from './log/log-reader.ts';
import { FakeKafka } from './testing/fake-kafka.ts';
import { MemoryLogFiles } from './testing/memory-log-files.ts';
import { settle } from './testing/pump.ts';
import { countTask, createEngine, rangeOfTask, stream } from './testing/run-engine.ts';

/** What the world outside saw: which ranges were read for which batch, and what each batch was planned as. */
interface Ledger {
  /** "batchTime" → "topic-partition" → "from-until" of tasks that ran to their end. */
  readonly read: Map<number, Map<string, Set<string>>>;
  /** "batchTime" → its ranges in the log, whenever it was looked at. */
  readonly planned: Map<number, Set<string>>;
  readonly committed: Set<number>;
}

const PARTITIONS = 3;

function note(ledger: Ledger, files: MemoryLogFiles): void {
  for (const { planned, committed } of readLog(files).batches) {
    const ranges = JSON.stringify(planned.inputs);
    ledger.planned.set(planned.batchTime, (ledger.planned.get(planned.batchTime) ?? new Set()).add(ranges));
    if (committed) ledger.committed.add(planned.batchTime);
  }
}

interface World {
  readonly clock: VirtualClock;
  readonly kafka: FakeKafka;
  readonly files: MemoryLogFiles;
}

/** One life of the application, from its start until it is killed at some point between two steps. */
async function live(world: World, ledger: Ledger, random: Random, killed = true): Promise<MemoryLogFiles> {
  const { clock, kafka, files } = world;
  let alive = true;
  const perform = async (set: TaskSet, task: TaskDescription) => {
    const range = rangeOfTask(task);
    await clock.sleep(randomInt(random, 40));
    const outcome = countTask(set, task);
    if (alive && range) {
      const batch = ledger.read.get(set.key.batchTime) ?? new Map<string, Set<string>>();
      ledger.read.set(set.key.batchTime, batch);
      const key = `${range.topic}-${range.partition}`;
      batch.set(key, (batch.get(key) ?? new Set()).add(`${range.fromOffset}-${range.untilOffset}`));
    }
    // A task of a dead application ends nowhere.
    return alive ? outcome : new Promise<never>(() => undefined);
  };
  const { engine } = await createEngine({
    clock,
    kafka,
    files,
    perform,
    config: { logSegmentBytes: 4096, logSegmentsRetained: 1000 },
    build: (ssc) => {
      const views = stream(ssc, 'views', { maxRecordsPerBatch: 40 });
      views.foreachRDD(async (rdd) => void (await rdd.count()));
      views.foreachRDD(async (rdd) => rdd.foreach(() => undefined));
    },
  });
  const running = engine.validate().then(() => engine.start());
  running.catch(() => undefined);
  if (!killed) return catchUp(world);
  const lifetime = randomInt(random, 60);
  for (let step = 0; step < lifetime; step++) {
    if (random.next() < 0.3) kafka.produce('views', randomInt(random, PARTITIONS), randomInt(random, 30));
    if (random.next() < 0.02) kafka.down = !kafka.down;
    clock.advance(randomInt(random, 60));
    // Any number of turns: the kill falls between two awaits.
    await settle(step === lifetime - 1 ? randomInt(random, 60) : 60);
  }
  alive = false;
  kafka.down = false;
  const left = files.copy();
  engine.stop({ mode: 'now' });
  await settle();
  return random.next() < 0.5 ? left : torn(left, random);
}

/** Lets it run until everything that Kafka has is committed. */
async function catchUp({ clock, kafka, files }: World): Promise<MemoryLogFiles> {
  const behind = (): boolean =>
    Array.from({ length: PARTITIONS }, (_, partition) => partition).some((partition) => {
      const { positions } = recoverLog(files).state;
      return (
        positions.get(0)?.get(`views-${partition}`)?.offset !== kafka.partition('views', partition).latest
      );
    });
  for (let waited = 0; behind(); waited += 50) {
    if (waited > 60_000) throw new Error('a minute after its last start it has not caught up');
    clock.advance(50);
    await settle(60);
  }
  return files;
}

/** A write that was under way when the process died: a part of a line more. */
function torn(files: MemoryLogFiles, random: Random): MemoryLogFiles {
  const newest = [...files.contents.keys()].toSorted().at(-1);
  const content = newest === undefined ? undefined : files.contents.get(newest);
  // Nobody appends to a torn file: the next start has a file of its own.
  if (newest !== undefined && content && (content.length === 0 || content.at(-1) === 0x0a)) {
    const line = '000001a2 0badcafe {"v":1,"kind":"planned","batchTime":1';
    files.contents.set(
      newest,
      Buffer.concat([content, Buffer.from(line.slice(0, 1 + randomInt(random, line.length - 1)))]),
    );
  }
  return files;
}

function verify(ledger: Ledger, files: MemoryLogFiles): void {
  for (const [batchTime, plans] of ledger.planned) {
    // P2: a batch time means the same ranges for ever.
    if (ledger.committed.has(batchTime)) expect([batchTime, plans.size]).toEqual([batchTime, 1]);
  }
  const { batches, state } = readLog(files);
  const next = new Map<string, number>();
  let last = 0;
  for (const { planned, committed } of batches) {
    expect(planned.batchTime).toBeGreaterThan(last);
    last = planned.batchTime;
    for (const range of planned.inputs.flatMap(({ ranges }) => ranges)) {
      const key = `${range.topic}-${range.partition}`;
      // P1: contiguous, from the start on.
      expect([key, range.fromOffset]).toEqual([key, next.get(key) ?? 0]);
      next.set(key, range.untilOffset);
      if (committed && range.untilOffset > range.fromOffset) {
        const read = ledger.read.get(planned.batchTime)?.get(key);
        expect([...(read ?? [])]).toEqual([`${range.fromOffset}-${range.untilOffset}`]);
      }
    }
  }
  if (batches.at(-1)?.committed) {
    for (const { topic, partition, offset } of state.positions.get(0)?.values() ?? []) {
      expect(offset).toBe(next.get(`${topic}-${partition}`));
    }
  }
}

describe('an application that is killed again and again', () => {
  const seeds = process.env['MILLRACE_SEED']
    ? [Number(process.env['MILLRACE_SEED'])]
    : Array.from({ length: 25 }, (_, seed) => seed + 1);

  it.each(seeds)('reads every offset in exactly one committed range (seed %d)', async (seed) => {
    const random = seededRandom(seed);
    const kafka = new FakeKafka();
    kafka.create(
      'views',
      Array.from({ length: PARTITIONS }, () => randomInt(random, 100)),
    );
    const ledger: Ledger = { read: new Map(), planned: new Map(), committed: new Set() };
    let files = new MemoryLogFiles();
    let time = 1_700_000_000_000;
    for (let lives = 0; lives < 10; lives++) {
      // The wall clock of the machine may be set back in between.
      const clock = new VirtualClock(time);
      files = await live({ clock, kafka, files }, ledger, random);
      note(ledger, files);
      time = clock.now() + randomInt(random, 5_000) - 2_000;
    }
    files = await live({ clock: new VirtualClock(time), kafka, files }, ledger, random, false);
    note(ledger, files);
    expect(ledger.committed.size).toBeGreaterThan(0);
    verify(ledger, files);
  });
});
