import { describe, expect, it } from '@jest/globals';
import { ConsumerStrategies } from '@millrace/api';
import { VirtualClock } from '../../../../testing/src/virtual-clock.ts';
import {
  type InputOptions,
  inputBench,
  logged,
  type MakeStrategy,
  never,
  open,
  pass,
  plan,
} from '../testing/input-bench.ts';
import { pump, settle } from '../testing/pump.ts';

const setup = (options?: InputOptions, make?: MakeStrategy) => inputBench(new VirtualClock(), options, make);

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
    void run.input.poll(never).catch(() => undefined);
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

  it('stops also when it looks why a partition ends before what was read, and gets no answer', async () => {
    let isSilent = false;
    const run = setup({ startFrom: 'earliest' }, (all) => {
      const strategy = ConsumerStrategies.Subscribe('views', all);
      return {
        options: all,
        describe: () => 'views',
        assign: (kafka, positions) =>
          isSilent ? new Promise<never>(() => undefined) : strategy.assign(kafka, positions),
      };
    });
    await open(run);
    await plan(run);
    isSilent = true;
    run.kafka.partition('views', 0).latest = 90;
    const stop = new AbortController();
    const polling = run.input.poll(stop.signal);
    await settle();
    stop.abort(new Error('stopped'));
    await expect(polling).rejects.toThrow('stopped');
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
