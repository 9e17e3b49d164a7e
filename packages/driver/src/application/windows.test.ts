import { describe, expect, it } from '@jest/globals';
import type { OffsetRange, StreamingContext } from '@millrace/api';
import { type Random, randomInt, seededRandom } from '@millrace/common';
import { VirtualClock } from '../../../testing/src/virtual-clock.ts';
import { type LoggedBatch, readLog } from './log/log-reader.ts';
import { FakeKafka } from './testing/fake-kafka.ts';
import { MemoryLogFiles } from './testing/memory-log-files.ts';
import { settle } from './testing/pump.ts';
import { countTask, createEngine, stream } from './testing/run-engine.ts';

const PARTITIONS = 2;

interface Shape {
  readonly interval: number;
  readonly window: number;
  readonly slide: number;
}

interface World extends Shape {
  readonly kafka: FakeKafka;
  /** "output batchTime" → the ranges that its window was made of, each time that it was. */
  readonly seen: Map<string, Set<string>>;
}

const textOf = (ranges: readonly OffsetRange[]): string =>
  ranges
    .map(
      ({ topic, partition, fromOffset, untilOffset }) => `${topic}-${partition}:${fromOffset}-${untilOffset}`,
    )
    .toSorted()
    .join(' ');

/** Windows over the records, over a shuffle, and over windows. */
function build({ window, slide, seen }: World): (ssc: StreamingContext) => void {
  const note = (output: string, time: number, ranges: readonly OffsetRange[]): void => {
    const key = `${output} ${time}`;
    seen.set(key, (seen.get(key) ?? new Set()).add(textOf(ranges)));
  };
  return (ssc) => {
    const views = stream(ssc, 'views', { maxRecordsPerBatch: 40 });
    views.window(window, slide).foreachRDD(async (rdd, time) => {
      note('records', time, rdd.offsetRanges);
      await rdd.count();
    });
    views
      .map((view) => [view.offset, 1] as const)
      .reduceByKeyAndWindow((a, b) => a + b, window, slide)
      .foreachRDD((rdd, time) => note('sums', time, rdd.offsetRanges));
    views
      .countByWindow(slide, slide)
      .window(2 * slide, slide)
      .foreachRDD((rdd, time) => note('counts', time, rdd.offsetRanges));
  };
}

/** One life of the application: until it is killed somewhere, on a clock that goes on. */
async function live(
  world: World,
  files: MemoryLogFiles,
  random: Random,
  at: number,
): Promise<{ readonly left: MemoryLogFiles; readonly at: number }> {
  const { interval, kafka } = world;
  const clock = new VirtualClock(at);
  const { engine } = await createEngine({
    clock,
    kafka,
    files,
    build: build(world),
    config: { batchInterval: interval, logSegmentBytes: 4096, logSegmentsRetained: 1000 },
    async perform(set, task) {
      await clock.sleep(randomInt(random, interval / 2));
      return countTask(set, task);
    },
  });
  const running = engine.validate().then(() => engine.start());
  running.catch(() => undefined);
  for (let step = randomInt(random, 40); step > 0; step--) {
    kafka.produce('views', randomInt(random, PARTITIONS), randomInt(random, 5));
    // A few intervals at once: batches are late, and one covers them.
    clock.advance(random.next() < 0.1 ? interval * randomInt(random, 5) : randomInt(random, interval));
    await settle(60);
  }
  await settle(randomInt(random, 60));
  const left = files.copy();
  engine.stop({ mode: 'now' });
  await settle();
  return { left, at: clock.now() + randomInt(random, 3 * interval) };
}

/** Ranges of the batches with times in (after, until]. */
function between(batches: readonly LoggedBatch[], after: number, until: number): OffsetRange[] {
  return batches
    .filter(({ planned }) => planned.batchTime > after && planned.batchTime <= until)
    .flatMap(({ planned }) => planned.inputs.flatMap(({ ranges }) => ranges));
}

/** What the log says that each output must have got. */
function expected(batches: readonly LoggedBatch[], { interval, window, slide }: Shape): Map<string, string> {
  const windows = new Map<string, string>();
  /** Ends of the windows of `slide` that were computed. */
  const ends: number[] = [];
  for (const [index, { planned }] of batches.entries()) {
    const { batchTime } = planned;
    const previous = batches[index - 1]?.planned.batchTime ?? batchTime - interval;
    const end = batchTime - (batchTime % slide);
    if (slide > interval && end <= previous) continue;
    ends.push(end);
    const own = textOf(between(batches, end - window, end));
    windows.set(`records ${batchTime}`, own);
    windows.set(`sums ${batchTime}`, own);
    const inner = ends.filter((each) => each > end - 2 * slide);
    windows.set(`counts ${batchTime}`, textOf(inner.flatMap((each) => between(batches, each - slide, each))));
  }
  return windows;
}

describe('windows of an application that is killed again and again', () => {
  const seeds = process.env['MILLRACE_SEED']
    ? [Number(process.env['MILLRACE_SEED'])]
    : Array.from({ length: 30 }, (_, seed) => seed + 1);

  it.each(seeds)('have the content that they have without that (seed %d)', async (seed) => {
    const random = seededRandom(seed);
    const kafka = new FakeKafka();
    kafka.create('views', [randomInt(random, 50), 0]);
    const interval = 100 * (1 + randomInt(random, 3));
    const world: World = {
      interval,
      window: interval * (1 + randomInt(random, 8)),
      slide: interval * (1 + randomInt(random, 4)),
      kafka,
      seen: new Map(),
    };
    let files = new MemoryLogFiles();
    let at = 1_700_000_000_000;
    for (let lives = 0; lives < 8; lives++) {
      const life = await live(world, files, random, at);
      files = life.left;
      at = life.at;
    }
    const { batches } = readLog(files);
    const windows = expected(batches, world);
    for (const [key, contents] of world.seen) {
      const time = Number(key.split(' ')[1]);
      // Planned after the copy was made, which is what a crash leaves: another life planned it anew.
      const wanted = windows.get(key);
      if (batches.some(({ planned }) => planned.batchTime === time))
        expect([key, ...contents]).toEqual([key, wanted]);
    }
    for (const { planned, committed } of batches) {
      if (!committed) continue;
      for (const output of ['records', 'sums', 'counts']) {
        const key = `${output} ${planned.batchTime}`;
        expect([key, world.seen.has(key)]).toEqual([key, windows.has(key)]);
      }
    }
    expect(windows.size).toBeGreaterThan(0);
  });
});
