import { MillraceError } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';
import { DEFAULT_KEY_CODEC, DEFAULT_VALUE_CODEC, shipCodec } from '../kafka/ship-codec.ts';
import type { JobRunner } from '../lineage/job-runner.ts';
import type { RddNode } from '../lineage/rdd-node.ts';
import { RDD } from '../rdd.ts';
import type { BatchTime, StreamNode } from './stream-node.ts';

/** One batch, as the graph sees it. */
export interface BatchInput {
  readonly time: BatchTime;
  /** Planned ranges of an input, in partition order. */
  ranges(inputId: number): readonly OffsetRange[];
}

/**
 * Makes the RDDs of one batch: lambdas are captured now, `transform` runs once however many outputs stand on it.
 * Use one instance a batch.
 */
export class BatchRdds {
  readonly #batch: BatchInput;
  readonly #runner: JobRunner;
  readonly #made = new Map<StreamNode, Promise<RddNode>>();

  constructor(batch: BatchInput, runner: JobRunner) {
    this.#batch = batch;
    this.#runner = runner;
  }

  async rdd(node: StreamNode): Promise<RDD<unknown>> {
    return new RDD<unknown>(await this.#node(node), this.#runner);
  }

  #node(node: StreamNode): Promise<RddNode> {
    const known = this.#made.get(node);
    if (known) return known;
    const made = this.#make(node);
    this.#made.set(node, made);
    return made;
  }

  async #make(node: StreamNode): Promise<RddNode> {
    const { ship } = this.#runner;
    switch (node.kind) {
      case 'refused':
        throw new MillraceError('INTERNAL', 'a job whose stream was refused has started');
      case 'direct-kafka': {
        const { input } = node;
        const { client, groupId, isolation, key, value } = input.options;
        const source = {
          sourceId: input.inputId,
          client,
          groupId,
          isolation,
          key: shipCodec(key, DEFAULT_KEY_CODEC, ship),
          value: shipCodec(value, DEFAULT_VALUE_CODEC, ship),
          location: input.location,
        };
        return { kind: 'kafka', source, ranges: this.#batch.ranges(input.inputId) };
      }
      case 'operator': {
        const { kind, functions, numbers, place } = node.operator;
        const parent = await this.#node(node.parent);
        return {
          kind: 'operator',
          parent,
          operator: { kind, functions: functions.map((f) => ship(f, kind)), numbers, place },
        };
      }
      case 'union':
        return {
          kind: 'union',
          parents: await Promise.all(node.parents.map((parent) => this.#node(parent))),
        };
      case 'transform': {
        const rdds = await Promise.all(node.parents.map((parent) => this.rdd(parent)));
        const made: unknown = await node.make(rdds, this.#batch.time, this.#runner);
        if (made instanceof RDD) return made.node;
        throw new MillraceError(
          'JOB_INVALID',
          `the function of transform() at ${node.place} returned no RDD`,
          {
            remedy: 'Return the RDD that it makes: transform((rdd) => rdd.map(…)).',
            details: { place: node.place },
          },
        );
      }
    }
  }
}
