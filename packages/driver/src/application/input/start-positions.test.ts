import { describe, expect, it } from '@jest/globals';
import { ConsumerStrategies } from '@millrace/api';
import { VirtualClock } from '../../../../testing/src/virtual-clock.ts';
import type { InputPositions } from '../log/log-state.ts';
import {
  type InputOptions,
  inputBench,
  logged,
  type MakeStrategy,
  open,
  pass,
  plan,
} from '../testing/input-bench.ts';

const setup = (options?: InputOptions, make?: MakeStrategy) => inputBench(new VirtualClock(), options, make);

describe('where a stream begins', () => {
  it.each<[string, InputOptions, InputPositions | undefined, Record<string, number>, string[]]>([
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

  it.each<[string, InputOptions, Record<string, number>, string[]]>([
    ['startFrom', { startFrom: 'latest' }, {}, ['0 20-100', '1 200-200']],
    ['the group', { startFrom: 'latest' }, { 'views-0': 50, 'views-1': 60 }, ['0 20-100', '1 60-200']],
    ['given offsets', { offsets: { 'views-0': 90, 'views-1': 70 } }, {}, ['0 20-100', '1 70-200']],
  ])(
    'is %s for what nobody has named, when offsets were set before the first batch',
    async (_, options, committed, expected) => {
      const run = setup(options);
      for (const [key, offset] of Object.entries(committed)) run.kafka.committed.set(key, offset);
      expect(await open(run, logged([20]), true)).toEqual([]);
      expect(await plan(run)).toEqual(expected);
    },
  );

  it('needs a dead-letter topic that is there, and that it does not read, nor ever will', async () => {
    const dead = (deadLetterTopic: string): InputOptions => ({
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

  it.each<[string, InputOptions, InputPositions | undefined, string[]]>([
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
