import {
  type ConsumerOptions,
  ConsumerStrategies,
  type ConsumerStrategy,
  LocationStrategies,
} from '@millrace/api';
import { resolveConsumerOptions } from '@millrace/api/internal';
import { type Clock, silentLogger } from '@millrace/common';
import { KafkaInput } from '../input/kafka-input.ts';
import { planOffsets } from '../input/offset-planner.ts';
import type { InputPositions } from '../log/log-state.ts';
import { FakeKafka } from './fake-kafka.ts';
import { type MovableClock, pump, settle } from './pump.ts';

export const never: AbortSignal = new AbortController().signal;
type AllOptions = ConsumerOptions<string | null, string>;
export type InputOptions = Partial<AllOptions>;
export type MakeStrategy = (all: AllOptions) => ConsumerStrategy<string | null, string>;

/** The input of one topic of two partitions, whose records begin at 10, on a Kafka that is not there. */
export function inputBench(clock: Clock & MovableClock, options: InputOptions = {}, make?: MakeStrategy) {
  const kafka = new FakeKafka();
  kafka.create('views', [100, 200], 10);
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

type Bench = ReturnType<typeof inputBench>;

/** `isFirst`: no batch was planned; positions were set, if there are any. */
export const open = async (
  { input, clock }: Bench,
  positions: InputPositions = new Map(),
  isFirst = positions.size === 0,
) => {
  const problems = await pump(clock, input.open({ positions, isFirst }, never));
  return problems.map(({ code }) => code);
};

/** Plans all that there is: "partition from-until". */
export const plan = async ({ input, clock }: Bench): Promise<string[]> => {
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

export const logged = (offsets: readonly number[], topicId = 'id-1'): InputPositions =>
  new Map(
    offsets.map((offset, partition) => [
      `views-${partition}` as const,
      { topic: 'views', partition, offset, topicId, leaderEpoch: 1 },
    ]),
  );

export const pass = async ({ clock }: Bench, ms: number): Promise<void> => {
  clock.advance(ms);
  await settle();
};
