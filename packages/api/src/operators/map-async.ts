import type { PartitionOperator } from '../lineage/operator-definition.ts';

/** numbers: [concurrency]. At most `concurrency` calls are under way; results keep the order of the rows. */
export const mapAsync: PartitionOperator = {
  kind: 'mapAsync',
  form: 'partition',
  preservesEmpty: true,
  async *run(chunks, { functions, numbers, signal }) {
    const f = functions[0] as (row: unknown) => unknown;
    const concurrency = numbers[0] ?? 1;
    const underWay: Promise<unknown>[] = [];
    try {
      for await (const chunk of chunks) {
        for (const row of chunk) {
          signal.throwIfAborted();
          const result = (async () => f(row))();
          // A later one may fail before it is awaited: that is reported when its turn comes.
          result.catch(() => undefined);
          underWay.push(result);
          if (underWay.length >= concurrency) yield [await underWay.shift()];
        }
      }
      while (underWay.length > 0) yield [await underWay.shift()];
    } finally {
      // Nothing of a failed task runs on behind its retry.
      await Promise.allSettled(underWay);
    }
  },
};
