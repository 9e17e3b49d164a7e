import type { Program, ReviveContext } from '@millrace/closures';
import type { ClosureMessage, PipelineMessage } from '@millrace/proto/task';
import type { PipelineRequest } from '../pipeline/index.ts';
import type { SnapshotSource } from './snapshot-source.ts';

/** The lambdas of one attempt. Revived freshly for it: nothing that a lambda changed in its captures is seen by another one. */
export class TaskLambdas {
  readonly #program: Program;
  readonly #context: ReviveContext;
  readonly #snapshots: SnapshotSource;

  constructor(program: Program, context: ReviveContext, snapshots: SnapshotSource) {
    this.#program = program;
    this.#context = context;
    this.#snapshots = snapshots;
  }

  /** Of the operators of a pipeline, and of its codecs. */
  async ofPipeline({
    source,
    operators,
  }: PipelineMessage): Promise<Omit<PipelineRequest['functions'], 'action'>> {
    const codecs = source.kind === 'kafka' ? source.kafka : undefined;
    return {
      operators: await Promise.all(operators.map(({ closures }) => this.all(closures))),
      ...(codecs?.key.closure ? { keyDecode: await this.#one(codecs.key.closure) } : {}),
      ...(codecs?.value.closure ? { valueDecode: await this.#one(codecs.value.closure) } : {}),
    };
  }

  all(closures: readonly ClosureMessage[]): Promise<readonly Function[]> {
    return Promise.all(closures.map((closure) => this.#one(closure)));
  }

  async #one({ snapshot, hash }: ClosureMessage): Promise<Function> {
    return this.#program.revive(snapshot ?? (await this.#snapshots.snapshot(hash)), this.#context);
  }
}
