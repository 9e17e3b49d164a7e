import type { EvaluatedJob } from '@millrace/api/internal';
import { crashPoint } from '@millrace/common';
import type { ProgramIdentity } from '../../program-identity.ts';
import type { PatienceOptions } from '../input/kafka-patience.ts';
import type { KafkaClients } from '../kafka-clients.ts';
import type { ApplicationLog } from '../log/application-log.ts';
import { ExactlyOnceOutputs } from './exactly-once-outputs.ts';
import { loggedOutputs } from './output-prefix.ts';

export interface ClaimedOutputsOptions extends Omit<PatienceOptions, 'brokers'> {
  readonly job: EvaluatedJob;
  readonly program: ProgramIdentity;
  /** Held. */
  readonly log: ApplicationLog;
  readonly kafka: KafkaClients;
  /** Aborted: nobody waits for the claim any more. */
  readonly draining: AbortSignal;
  readonly cancelled: AbortSignal;
}

/** A host that takes longer to start is killed (jobStartTimeoutMs), and could not say why. */
const CLAIM_TIMEOUT_MS_MAX = 40_000;

/** The exactly-once outputs of a job, taken over from earlier runs. @throws as their claim; the reason of `draining`. */
export async function claimedOutputs(options: ClaimedOutputsOptions): Promise<ExactlyOnceOutputs> {
  const { job, program, log, kafka, clock, logger, notice, draining, cancelled } = options;
  const { name, taskTimeout, kafkaTimeout } = job.options;
  const { graph } = job.context.internals.graph;
  const outputs = new ExactlyOnceOutputs({
    application: name,
    program,
    outputs: graph.outputs.flatMap(({ exactlyOnce }) => exactlyOnce ?? []),
    known: loggedOutputs(graph.outputs, name),
    log,
    kafka: (client) => kafka.get(client),
    clock,
    logger,
    notice,
    taskTimeoutMs: taskTimeout,
    claimTimeoutMs: Math.min(CLAIM_TIMEOUT_MS_MAX, kafkaTimeout),
    kafkaTimeoutMs: kafkaTimeout,
    cancelled,
  });
  crashPoint('before-claim');
  await outputs.claim(draining);
  return outputs;
}
