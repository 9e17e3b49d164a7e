import type { ElementOperator } from '../lineage/operator-definition.ts';

/** [key, value] → key. */
export const keys: ElementOperator = {
  kind: 'keys',
  form: 'element',
  fragment: ({ input, output, next }) => `const ${output} = ${input}[0]; ${next(output)}`,
};

/** [key, value] → value. */
export const values: ElementOperator = {
  kind: 'values',
  form: 'element',
  fragment: ({ input, output, next }) => `const ${output} = ${input}[1]; ${next(output)}`,
};

/** row → [row, null]: the row is the key. */
export const toPair: ElementOperator = {
  kind: 'toPair',
  form: 'element',
  fragment: ({ input, output, next }) => `const ${output} = [${input}, null]; ${next(output)}`,
};

/** row → [undefined, row]: all have one key, or it does not matter. */
export const withoutKey: ElementOperator = {
  kind: 'withoutKey',
  form: 'element',
  fragment: ({ input, output, next }) => `const ${output} = [undefined, ${input}]; ${next(output)}`,
};
