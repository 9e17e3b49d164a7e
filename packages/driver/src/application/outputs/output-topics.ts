import type { OutputOperation } from '@millrace/api/internal';
import { MillraceError, nearestName, placed } from '@millrace/common';
import type { KafkaClient, KafkaOptions } from '@millrace/kafka';
import type { OpenInput } from '../batch/batch-planner.ts';
import { KafkaPatience, type PatienceOptions } from '../input/kafka-patience.ts';

export interface OutputTopicsOptions extends Omit<PatienceOptions, 'brokers'> {
  readonly kafka: (options: KafkaOptions) => Pick<KafkaClient, 'topics'>;
  /** Kafka may be away: what is written waits for it. */
  readonly isLenient: boolean;
  readonly signal: AbortSignal;
}

/** As long as a first start waits for its inputs. */
const PATIENCE_MS = 10_000;

/** What keeps outputs from writing to the topics that they name: nothing creates them. Never rejects. */
export async function outputTopicProblems(
  outputs: readonly OutputOperation[],
  options: OutputTopicsOptions,
): Promise<readonly MillraceError[]> {
  const found = await Promise.all(
    outputs.map(async ({ target, place }) => {
      const problem = target && (await topicProblem(target, options));
      return problem ? [placed(problem, place)] : [];
    }),
  );
  return found.flat();
}

async function topicProblem(
  { topic, client }: NonNullable<OutputOperation['target']>,
  options: OutputTopicsOptions,
): Promise<MillraceError | undefined> {
  const kafka = options.kafka(client);
  const { isLenient, signal } = options;
  const patience = new KafkaPatience({ ...options, brokers: client.brokers });
  try {
    await patience.attempt(`topic "${topic}"`, { patienceMs: PATIENCE_MS, signal }, () =>
      kafka.topics([topic]),
    );
    return undefined;
  } catch (error) {
    const problem = MillraceError.from(error, 'INTERNAL');
    if (problem.code !== 'UNKNOWN_TOPIC') return isLenient && problem.retryable ? undefined : problem;
    const known = await kafka.topics().catch(() => []);
    const names = known.map((each) => each.topic).filter((name) => !name.startsWith('__'));
    const near = nearestName(topic, names);
    return new MillraceError('UNKNOWN_TOPIC', `the output topic "${topic}" does not exist`, {
      remedy: `${near === undefined ? '' : `Did you mean "${near}"? `}Create it, or mend its name.`,
      details: { topic },
      cause: error,
    });
  }
}

/** A sentence for each output that writes what the job reads: nothing ends that. */
export function outputLoops(
  outputs: readonly OutputOperation[],
  open: readonly OpenInput[],
): readonly string[] {
  return outputs.flatMap(({ name, outputId, target }) => {
    if (!target) return [];
    const { topic, client } = target;
    // Topics of the same name may be in two Kafkas.
    const loops = open.some(
      ({ input, kafka }) =>
        kafka.topics.has(topic) &&
        input.options.client.brokers.some((broker) => client.brokers.includes(broker)),
    );
    return loops
      ? [
          `warning: output ${name}#${outputId} writes to topic "${topic}", which the job reads: what it writes is read again, in an endless loop`,
        ]
      : [];
  });
}
