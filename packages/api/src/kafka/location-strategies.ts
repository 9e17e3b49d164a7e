import { MillraceError } from '@millrace/common';

/** Which executor should read a partition: a preference, never a demand. */
export type LocationStrategy =
  | { readonly kind: 'PreferConsistent' }
  | { readonly kind: 'PreferBrokers' }
  | { readonly kind: 'PreferFixed'; readonly hosts: Readonly<Record<string, string>> };

/** For callers without types. @throws MillraceError JOB_INVALID. */
export function checkLocation(location: unknown): void {
  const { kind } = (location ?? {}) as { readonly kind?: unknown };
  if (kind === 'PreferConsistent' || kind === 'PreferBrokers' || kind === 'PreferFixed') return;
  throw new MillraceError('JOB_INVALID', 'a stream was given no location strategy', {
    remedy: 'Write LocationStrategies.PreferConsistent: it is right for nearly everybody.',
  });
}

export const LocationStrategies = {
  /** Partitions evenly over the executors; few move when an executor joins or leaves. Right for nearly everybody. */
  PreferConsistent: { kind: 'PreferConsistent' } as LocationStrategy,
  /** The partition leader's host, when executors run on the brokers' machines. Not for createRDD. */
  PreferBrokers: { kind: 'PreferBrokers' } as LocationStrategy,
  /**
   * A host for each given partition, keyed "topic-partition"; the others as PreferConsistent.
   * A host with no executor is warned of once.
   */
  PreferFixed(hosts: ReadonlyMap<string, string> | Readonly<Record<string, string>>): LocationStrategy {
    return {
      kind: 'PreferFixed',
      hosts: Object.fromEntries(hosts instanceof Map ? hosts : Object.entries(hosts)),
    };
  },
} as const;
