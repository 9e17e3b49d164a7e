import { HANDLE } from '@millrace/closures';
import type { Accumulator, AccumulatorRegistry } from '../accumulator.ts';
import type { SkipCounters } from '../lineage/rdd-node.ts';
import type { ResolvedConsumerOptions } from './consumer-options.ts';

/** Named accumulators that count what sources leave out: shown with each batch as those of the user are. */
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
      ...(onDecodeError === 'skip' && { undecodable: this.#id(`skipped, undecodable (${what})`) }),
      ...(!failOnDataLoss && { lost: this.#id(`skipped, deleted by retention (${what})`) }),
    };
  }

  #id(name: string): string {
    const counter = this.#counters.get(name) ?? this.#registry.number(name, 0);
    this.#counters.set(name, counter);
    return (counter as Accumulator & { readonly [HANDLE]: { readonly id: string } })[HANDLE].id;
  }
}
