import type { ElementOperator, PartitionOperator } from '../lineage/operator-definition.ts';

// Rows here are [key, [values of the left, values of the right]], as a cogroup of two makes them.

/** Of joinRows: whose rows stay when the other side has none. 3: those of both. */
export const JOIN_MODES = { inner: 0, left: 1, right: 2, full: 3 } as const;

export type JoinMode = keyof typeof JOIN_MODES;

type Cogrouped = readonly [unknown, readonly [readonly unknown[], readonly unknown[]]];

const CHUNK_ROWS = 1024;
const MISSING: readonly unknown[] = [undefined];

/**
 * numbers: [mode] → [key, [a, b]] for each pair; the missing side of an outer join is undefined. Sees a partition as a whole, so that the
 * pairs of a frequent key are made as they are read.
 */
export const joinRows: PartitionOperator = {
  kind: 'joinRows',
  form: 'partition',
  preservesEmpty: true,
  async *run(chunks, { numbers, signal }) {
    const mode = numbers[0] ?? JOIN_MODES.inner;
    const leftMayMiss = mode === JOIN_MODES.right || mode === JOIN_MODES.full;
    const rightMayMiss = mode === JOIN_MODES.left || mode === JOIN_MODES.full;
    let made: unknown[] = [];
    for await (const rows of chunks) {
      for (const [key, [as, bs]] of rows as Cogrouped[]) {
        const left = as.length === 0 && leftMayMiss ? MISSING : as;
        const right = bs.length === 0 && rightMayMiss ? MISSING : bs;
        for (const a of left) {
          for (const b of right) {
            made.push([key, [a, b]]);
            if (made.length < CHUNK_ROWS) continue;
            signal.throwIfAborted();
            yield made;
            made = [];
          }
        }
      }
    }
    if (made.length > 0) yield made;
  },
};

/** → [key, a] for each value of the left, when the right has none. */
export const subtractRows: ElementOperator = {
  kind: 'subtractRows',
  form: 'element',
  fragment: ({ input, output, next }) =>
    `if (${input}[1][1].length === 0) for (const ${output}a of ${input}[1][0]) { const ${output} = [${input}[0], ${output}a]; ${next(output)} }`,
};

/** → the key, when both sides have it. */
export const intersectRows: ElementOperator = {
  kind: 'intersectRows',
  form: 'element',
  fragment: ({ input, output, next }) =>
    `if (${input}[1][0].length > 0 && ${input}[1][1].length > 0) { const ${output} = ${input}[0]; ${next(output)} }`,
};
