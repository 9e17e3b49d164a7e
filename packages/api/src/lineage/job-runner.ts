import type { KafkaClient, KafkaOptions } from '@millrace/kafka';
import type { FunctionShipper } from '../shipped-function.ts';
import type { ActionCall, PersistedNode, RddNode } from './rdd-node.ts';
import type { KeptState } from './stateful-node.ts';

/** One action on one dataset. */
export interface JobRequest {
  readonly node: RddNode;
  readonly action: ActionCall;
  /** Task partitions to compute; absent: all. */
  readonly partitions?: readonly number[];
}

/** What an RDD needs of whoever runs it: the application engine implements it. */
export interface JobRunner {
  /**
   * Result bytes of each partition, in the order asked for.
   * Accumulator updates of the tasks have been applied when it resolves.
   * @throws MillraceError the typed failure of the first task that used up its attempts; CANCELLED when the application stops.
   */
  run(job: JobRequest): Promise<readonly Uint8Array[]>;
  /**
   * What is kept of this dataset may go, as soon as no job reads it; jobs that begin later compute it as if it had never been persisted.
   * Idempotent. A dataset that nobody can reach any more is released, too.
   */
  release(node: PersistedNode): void;
  /** The state of this name as the last committed batch left it; undefined: there is none. */
  stateOf(name: string): KeptState | undefined;
  readonly ship: FunctionShipper;
  /** Makes a broadcast's content available; resolves its blob hash at once. */
  broadcast(content: Uint8Array): string;
  dropBroadcast(hash: string): void;
  /** Writes a line of the job's output (print). */
  print(text: string): void;
  /** Tells whoever watches the application. */
  notice(text: string): void;
  /** A client for these options, shared and closed by the runner. */
  kafka(options: KafkaOptions): KafkaClient;
}
