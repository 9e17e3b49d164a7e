import type { ElementOperator } from '../lineage/operator-definition.ts';

export const filter: ElementOperator = {
  kind: 'filter',
  form: 'element',
  // The test against `true` first: the common answer needs no call.
  fragment: ({ input, output, fn, index, next }) =>
    `const ${output} = ${fn()}(${input}); if (${output} === true || rt.truthy(${output}, ${index})) { ${next(input)} }`,
};
