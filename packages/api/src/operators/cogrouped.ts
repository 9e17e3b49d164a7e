import type { ElementOperator } from '../lineage/operator-definition.ts';

// Rows here are [key, [values of the left, values of the right]], as a cogroup of two makes them.

/** Of joinRows: whose rows stay when the other side has none. 3: those of both. */
export const JOIN_MODES = { inner: 0, left: 1, right: 2, full: 3 } as const;

export type JoinMode = keyof typeof JOIN_MODES;

/** numbers: [mode] → [key, [a, b]] for each pair; the missing side of an outer join is undefined. */
export const joinRows: ElementOperator = {
  kind: 'joinRows',
  form: 'element',
  fragment: ({ input, output, number, next }) => {
    const mode = Number(number(0));
    // An empty side becomes one missing value, when the other side's rows stay.
    const side = (index: 0 | 1, stays: boolean): string =>
      stays
        ? `${input}[1][${index}].length === 0 ? [undefined] : ${input}[1][${index}]`
        : `${input}[1][${index}]`;
    const left = side(0, mode === JOIN_MODES.right || mode === JOIN_MODES.full);
    const right = side(1, mode === JOIN_MODES.left || mode === JOIN_MODES.full);
    return `const ${output}l = ${left}, ${output}r = ${right}; for (const ${output}a of ${output}l) for (const ${output}b of ${output}r) { const ${output} = [${input}[0], [${output}a, ${output}b]]; ${next(output)} }`;
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
