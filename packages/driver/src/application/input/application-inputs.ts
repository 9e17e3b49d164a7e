import { type EvaluatedJob, encodeAccumulatorUpdates } from '@millrace/api/internal';
import type { Clock, Logger, MillraceError } from '@millrace/common';
import type { TopicPartition } from '@millrace/kafka';
import type { ApplicationEvent } from '../../application-events.ts';
import type { OpenInput } from '../batch/batch-planner.ts';
import type { KafkaClients } from '../kafka-clients.ts';
import type { LogState } from '../log/log-state.ts';
import { openInputs } from './open-inputs.ts';

export interface ApplicationInputsOptions {
  readonly job: EvaluatedJob;
  readonly kafka: KafkaClients;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly event: (event: ApplicationEvent) => void;
}

/** The streams of an application that read Kafka. */
export class ApplicationInputs {
  readonly #options: ApplicationInputsOptions;
  #open: readonly OpenInput[] = [];

  constructor(options: ApplicationInputsOptions) {
    this.#options = options;
  }

  /** None before `open`. */
  get current(): readonly OpenInput[] {
    return this.#open;
  }

  /** Makes them stand where the log ends. Returns all problems. Never rejects. */
  async open(state: LogState, signal: AbortSignal): Promise<readonly MillraceError[]> {
    const { job, kafka, clock, logger, event } = this.#options;
    const { graph, accumulators } = job.context.internals;
    const opened = await openInputs(graph.graph.inputs, state, {
      kafka: ({ options }) => kafka.get(options.client),
      clock,
      logger,
      notice: (level, text) => event({ kind: 'notice', level, text }),
      lost: ({ skips }, offsets) => {
        if (skips?.lost === undefined) return;
        accumulators.apply(encodeAccumulatorUpdates(new Map([[skips.lost, offsets]])));
      },
      kafkaTimeoutMs: job.options.kafkaTimeout,
      signal,
    });
    this.#open = opened.inputs;
    return opened.problems;
  }

  /** Where the leader of a partition is; '': not known. */
  leaderHost(tp: TopicPartition): string {
    for (const { kafka } of this.#open) {
      const host = kafka.leaderHost(tp);
      if (host !== '') return host;
    }
    return '';
  }
}
