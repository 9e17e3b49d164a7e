import { describe, expect, it } from '@jest/globals';
import {
  type ConsumerOptions,
  ConsumerStrategies,
  type ConsumerStrategy,
  LocationStrategies,
} from '@millrace/api';
import { resolveConsumerOptions } from '@millrace/api/internal';
import { silentLogger } from '@millrace/common';
import { VirtualClock } from '../../../../testing/src/virtual-clock.ts';
import type { InputPositions } from '../log/log-state.ts';
import { FakeKafka } from '../testing/fake-kafka.ts';
import { pump, settle } from '../testing/pump.ts';
import { KafkaInput } from './kafka-input.ts';
import { planOffsets } from './offset-planner.ts';

const never = new AbortController().signal;
type Options = Partial<ConsumerOptions<string | null, string>>;

function setup(
  options: Options = {},
  make?: (all: ConsumerOptions<string | null, string>) => ConsumerStrategy<string | null, string>,
) {
  const kafka = new FakeKafka();
  kafka.create('views', [100, 200], 10);
  const clock = new VirtualClock();
  const notices: string[] = [];
  const all = { brokers: 'fake:1', groupId: 'g', ...options };
  const strategy = make ? make(all) : ConsumerStrategies.Subscribe('views', all);
  const input = new KafkaInput({
    input: {
      inputId: 0,
      strategy: strategy as ConsumerStrategy<unknown, unknown>,
      options: resolveConsumerOptions(all, 'test'),
      location: LocationStrategies.PreferConsistent,
      place: 'job.ts:1:1',
    },
    kafka,
    clock,
    logger: silentLogger,
    notice: (_, text) => notices.push(text),
    kafkaTimeoutMs: 60_000,
  });
  return { kafka, clock, notices, input };
}

type Setup = ReturnType<typeof setup>;

const open = async ({ input, clock }: Setup, logged?: InputPositions) => {
  const problems = await pump(clock, input.open(logged, never));
  return problems.map(({ code }) => code);
};

/** Plans all that there is: "partition from-until". */
const plan = async ({ input, clock }: Setup): Promise<string[]> => {
  const ranges = planOffsets(await pump(clock, input.poll(never)), {
    maxRatePerPartition: Infinity,
    maxRecordsPerBatch: Infinity,
    minRecordsPerPartitionPerBatch: 1,
    elapsedMs: 1_000,
    number: 1,
  });
  input.advance(ranges);
  return ranges.map((range) => `${range.partition} ${range.fromOffset}-${range.untilOffset}`);
};

const logged = (offsets: readonly number[], topicId = 'id-1'): InputPositions =>
  new Map(
    offsets.map((offset, partition) => [
      `views-${partition}` as const,
      { topic: 'views', partition, offset, topicId, leaderEpoch: 1 },
    ]),
  );

const pass = async ({ clock }: Setup, ms: number): Promise<void> => {
  clock.advance(ms);
  await settle();
};

describe('where a stream begins', () => {
  it.each<[string, Options, InputPositions | undefined, Record<string, number>, string[]]>([
    ['earliest', { startFrom: 'earliest' }, undefined, {}, ['0 10-100', '1 10-200']],
    ['latest', { startFrom: 'latest' }, undefined, {}, ['0 100-100', '1 200-200']],
    ['a timestamp', { startFrom: { timestamp: 150 } }, undefined, {}, ['0 100-100', '1 150-200']],
    [
      'committed offsets before startFrom',
      { startFrom: 'latest' },
      undefined,
      { 'views-0': 50 },
      ['0 50-100', '1 200-200'],
    ],
    [
      'committed offsets without startFrom',
      {},
      undefined,
      { 'views-0': 50, 'views-1': 60 },
      ['0 50-100', '1 60-200'],
    ],
    [
      'given offsets before committed ones',
      { offsets: { 'views-0': 90 } },
      undefined,
      { 'views-0': 50, 'views-1': 60 },
      ['0 90-100', '1 60-200'],
    ],
    [
      'the log before everything',
      { startFrom: 'latest', offsets: { 'views-0': 90 } },
      logged([20, 30]),
      { 'views-0': 50 },
      ['0 20-100', '1 30-200'],
    ],
    [
      'earliest for a partition that the log does not know',
      { startFrom: 'latest' },
      logged([20]),
      { 'views-1': 50 },
      ['0 20-100', '1 10-200'],
    ],
  ])('is %s', async (_, options, log, committed, expected) => {
    const run = setup(options);
    for (const [key, offset] of Object.entries(committed)) run.kafka.committed.set(key, offset);
    expect(await open(run, log)).toEqual([]);
    expect(await plan(run)).toEqual(expected);
  });

  it('needs a dead-letter topic that is there, and that it does not read, nor ever will', async () => {
    const dead = (deadLetterTopic: string): Options => ({
      startFrom: 'earliest',
      onDecodeError: { deadLetterTopic },
    });
    expect(await open(setup(dead('nowhere')))).toEqual(['UNKNOWN_TOPIC']);
    expect(await open(setup(dead('views')))).toEqual(['CONFIG_INVALID']);
    const pattern = setup(dead('views-dead'), (all) => ConsumerStrategies.SubscribePattern(/views.*/, all));
    pattern.kafka.create('views-dead', [0], 0);
    expect(await open(pattern)).toEqual(['CONFIG_INVALID']);
    const other = setup(dead('letters'));
    other.kafka.create('letters', [0], 0);
    expect(await open(other)).toEqual([]);
  });

  it('is refused on a first run when nothing says so', async () => {
    const run = setup();
    run.kafka.committed.set('views-0', 50);
    expect(await open(run)).toEqual(['NO_START_OFFSET']);
  });

  it.each<[string, Options, InputPositions | undefined, string[]]>([
    [
      'given below the log start, and beyond the end',
      { offsets: { 'views-0': 9, 'views-1': 201 } },
      undefined,
      ['OFFSET_OUT_OF_RANGE', 'OFFSET_OUT_OF_RANGE'],
    ],
    [
      'given for a partition that is not read',
      { startFrom: 'earliest', offsets: { 'views-7': 0, 'viwes-0': 10 } },
      undefined,
      ['UNKNOWN_PARTITION', 'UNKNOWN_PARTITION'],
    ],
    ['logged below the log start', {}, logged([9, 20]), ['OFFSET_OUT_OF_RANGE']],
    ['logged beyond the end', {}, logged([101, 20]), ['LOG_TRUNCATED']],
    ['of a topic that was recreated', {}, logged([50, 50], 'another'), ['TOPIC_RECREATED']],
  ])('is refused when it is %s', async (_, options, log, codes) => {
    expect(await open(setup(options), log)).toEqual(codes);
  });

  it('may be the end of a partition that grows while it is looked up', async () => {
    const run = setup({ startFrom: 'latest' });
    const list = run.kafka.listOffsets.bind(run.kafka);
    run.kafka.listOffsets = async (...args) => {
      run.kafka.produce('views', 0, 7);
      return list(...args);
    };
    expect(await open(run)).toEqual([]);
  });

  it('may lie inside of an open transaction', async () => {
    const run = setup({ offsets: { 'views-0': 100, 'views-1': 150 } });
    run.kafka.partition('views', 0).stable = 90;
    expect(await open(run)).toEqual([]);
    expect(await plan(run)).toEqual(['0 100-100', '1 150-200']);
    await pass(run, 20_000);
    expect(await plan(run)).toEqual(['0 100-100', '1 200-200']);
    await pass(run, 20_000);
    run.kafka.partition('views', 0).stable = 100;
    run.kafka.produce('views', 0, 5);
    run.kafka.partition('views', 0).stable = 105;
    expect(await plan(run)).toEqual(['0 100-105', '1 200-200']);
  });

  it('is a problem when the topic does not exist, or no broker answers for ten seconds', async () => {
    const unknown = setup({ startFrom: 'earliest' });
    unknown.kafka.drop('views');
    expect(await open(unknown)).toEqual(['UNKNOWN_TOPIC']);
    const down = setup({ startFrom: 'earliest' });
    down.kafka.down = true;
    expect(await open(down)).toEqual(['KAFKA_UNREACHABLE']);
    expect(down.clock.monotonic()).toBeLessThanOrEqual(10_100);
  });
});

describe('a running stream', () => {
  it('asks for latest offsets only, once a batch', async () => {
    const run = setup({ startFrom: 'earliest' });
    await open(run);
    run.kafka.requests.length = 0;
    for (let n = 0; n < 10; n++) await plan(run);
    expect(run.kafka.requests).toEqual(Array.from({ length: 10 }, () => 'latest'));
  });

  it('reads partitions and topics that appear from their earliest offset', async () => {
    const run = setup({ startFrom: 'latest' }, (all) => ConsumerStrategies.SubscribePattern(/v.*/, all));
    await open(run);
    await plan(run);
    run.kafka.addPartition('views', 7);
    run.kafka.create('visits', [3]);
    await pass(run, 5_000);
    await plan(run);
    await settle();
    expect(await plan(run)).toEqual(['0 100-100', '1 200-200', '2 0-7', '0 0-3']);
    expect(run.notices.join()).toContain('views-2 is new');
  });

  it.each([
    ['shorter', 5],
    ['longer', 5_000],
  ])('notices a topic that was recreated %s', async (_, end) => {
    const run = setup({ startFrom: 'earliest' });
    await open(run);
    await plan(run);
    run.kafka.create('views', [end, end]);
    await pass(run, 5_000);
    const poll = async (): Promise<void> => {
      await plan(run);
      await settle();
      await plan(run);
    };
    await expect(poll()).rejects.toMatchObject({ code: 'TOPIC_RECREATED' });
  });

  it('notices that retention deleted records which were not planned', async () => {
    const run = setup({ startFrom: 'earliest' });
    await open(run);
    await plan(run);
    run.kafka.partition('views', 0).latest = 300;
    run.kafka.partition('views', 0).earliest = 150;
    await pass(run, 5_000);
    // Held back by a limit, say.
    void run.input.poll(never);
    await settle();
    await expect(pump(run.clock, run.input.poll(never))).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      details: { partition: 0, offset: 100, earliest: 150 },
    });
  });

  it('tolerates an end that is a little old, and refuses a truncated partition', async () => {
    const run = setup({ startFrom: 'earliest' });
    await open(run);
    await plan(run);
    run.kafka.partition('views', 0).latest = 90;
    expect(await plan(run)).toEqual(['0 100-100', '1 200-200']);
    run.kafka.partition('views', 0).latest = 110;
    expect(await plan(run)).toEqual(['0 100-110', '1 200-200']);
    run.kafka.partition('views', 0).latest = 90;
    await plan(run);
    await pass(run, 10_000);
    await expect(plan(run)).rejects.toMatchObject({ code: 'LOG_TRUNCATED' });
  });

  it('waits for a Kafka that is away, says so, and goes on where it was', async () => {
    const run = setup({ startFrom: 'earliest' });
    await open(run);
    await plan(run);
    run.kafka.down = true;
    run.kafka.requests.length = 0;
    const waiting = plan(run);
    await settle();
    for (let second = 0; second < 30; second++) await pass(run, 1_000);
    run.kafka.down = false;
    run.kafka.produce('views', 0, 11);
    expect(await waiting).toEqual(['0 100-111', '1 200-200']);
    expect(run.notices.filter((text) => text.includes('waiting up to'))).toHaveLength(1);
    expect(run.notices.filter((text) => text.includes('answers again'))).toHaveLength(1);
  });

  it('gives up on Kafka after the time-out', async () => {
    const run = setup({ startFrom: 'earliest' });
    await open(run);
    run.kafka.down = true;
    await expect(plan(run)).rejects.toMatchObject({ code: 'KAFKA_UNREACHABLE' });
    expect(run.clock.monotonic()).toBeLessThanOrEqual(61_000);
  });

  it('stops waiting for Kafka when the application stops', async () => {
    const run = setup({ startFrom: 'earliest' });
    await open(run);
    run.kafka.down = true;
    const stop = new AbortController();
    const waiting = run.input.poll(stop.signal);
    await settle();
    stop.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
  });

  it('gives up on a topic that stays deleted', async () => {
    const run = setup({ startFrom: 'earliest' });
    await open(run);
    run.kafka.drop('views');
    await expect(plan(run)).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' });
    expect(run.clock.monotonic()).toBeGreaterThan(50_000);
  });

  it('notices that a topic is deleted and, seconds later, created again', async () => {
    const run = setup({ startFrom: 'earliest' });
    await open(run);
    run.kafka.drop('views');
    const waiting = plan(run);
    waiting.catch(() => undefined);
    await settle();
    await pass(run, 3_000);
    run.kafka.create('views', [1_000, 1_000]);
    await expect(waiting).rejects.toMatchObject({ code: 'TOPIC_RECREATED' });
  });

  it('goes on without a topic that its pattern no longer finds', async () => {
    const run = setup({ startFrom: 'earliest' }, (all) => ConsumerStrategies.SubscribePattern(/v.*/, all));
    run.kafka.create('visits', [3]);
    await open(run);
    run.kafka.drop('views');
    expect(await plan(run)).toEqual(['0 0-3']);
    expect(run.notices.join()).toContain('views-1 is no longer assigned');
  });

  it('reports what a user-made strategy throws', async () => {
    const run = setup({}, (all) => ({
      options: all,
      describe: () => 'mine',
      assign: async () => {
        throw new TypeError('my mistake');
      },
    }));
    expect(await open(run)).toEqual(['USER_CODE']);
  });
});

describe('records that retention has deleted before they were read', () => {
  it.each([
    ['refuse the start', undefined, ['OFFSET_OUT_OF_RANGE']],
    ['refuse the start', true, ['OFFSET_OUT_OF_RANGE']],
    ['are skipped', false, []],
  ])('%s with failOnDataLoss %s', async (_what, failOnDataLoss, problems) => {
    const all = setup(failOnDataLoss === undefined ? {} : { failOnDataLoss });
    expect(await open(all, logged([5, 30]))).toEqual(problems);
  });

  it('are skipped at the start and while the stream runs, told, and handed over once', async () => {
    const all = setup({ failOnDataLoss: false });
    await open(all, logged([5, 30]));
    expect(await plan(all)).toEqual(['0 10-100', '1 30-200']);
    expect(all.notices).toEqual([
      expect.stringContaining('5 offsets of views-0 were deleted before they were read'),
    ]);
    expect(all.input.takeSkipped()).toEqual([
      { topic: 'views', partition: 0, from: 5, to: 10, topicId: 'id-1' },
    ]);
    expect(all.input.takeSkipped()).toEqual([]);
    all.kafka.produce('views', 1, 100);
    all.kafka.partition('views', 1).earliest = 250;
    await pass(all, 6_000);
    // The look at the metadata is in the background: what it finds counts for the next batch.
    await pump(all.clock, all.input.poll(never));
    await settle();
    expect(await plan(all)).toEqual(['0 100-100', '1 250-300']);
    expect(all.input.takeSkipped()).toMatchObject([{ partition: 1, from: 200, to: 250 }]);
  });

  it('are skipped for a group that stands there, but exact offsets are to be right', async () => {
    const all = setup({ failOnDataLoss: false });
    all.kafka.committed.set('views-0', 3);
    all.kafka.committed.set('views-1', 50);
    expect(await open(all)).toEqual([]);
    expect(await plan(all)).toEqual(['0 10-100', '1 50-200']);
    const given = setup({ failOnDataLoss: false, startFrom: 'earliest', offsets: { 'views-0': 3 } });
    expect(await open(given)).toEqual(['OFFSET_OUT_OF_RANGE']);
  });
});
