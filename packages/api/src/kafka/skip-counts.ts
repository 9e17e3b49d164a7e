import { HANDLE } from '@millrace/closures';
import type { Accumulator, AccumulatorRegistry, LeftOut } from '../accumulator.ts';
import type { SkipCounters } from '../lineage/rdd-node.ts';
import type { ResolvedConsumerOptions } from './consumer-options.ts';
import { DeadLetterTopic } from './dead-letter-topic.ts';

/** Named accumulators that count what sources leave out: shown with each batch as those of the user are, and summed in the application's status. */
export class SkipCounts {
  readonly #registry: AccumulatorRegistry;
  /** By name; held here, because the registry does not hold them. */
  readonly #counters = new Map<string, Accumulator>();

  constructor(registry: AccumulatorRegistry) {
    this.#registry = registry;
  }

  /** `what`: the source's description. */
  of({ onDecodeError, failOnDataLoss }: ResolvedConsumerOptions, what: string): SkipCounters {
    return {
      ...(onDecodeError === 'skip' && {
        undecodable: this.#id('undecodable', `skipped, undecodable (${what})`),
      }),
      ...(typeof onDecodeError === 'object' && {
        undecodable: this.#id('dead-letters', `dead letters (${what})`),
        deadLetters: new DeadLetterTopic(onDecodeError, this.#registry),
      }),
      ...(!failOnDataLoss && { lost: this.#id('deleted', `skipped, deleted by retention (${what})`) }),
    };
  }

  #id(kind: LeftOut, name: string): string {
    const counter = this.#counters.get(name) ?? this.#registry.leftOut(name, kind);
    this.#counters.set(name, counter);
    return (counter as Accumulator & { readonly [HANDLE]: { readonly id: string } })[HANDLE].id;
  }
}
