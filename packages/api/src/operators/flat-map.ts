import { type ElementOperator, refuseNonIterable } from '../lineage/operator-definition.ts';

export const flatMap: ElementOperator = {
  kind: 'flatMap',
  form: 'element',
  fragment: ({ input, output, fn, index, next }) =>
    `const ${output}s = ${fn()}(${input}); ${refuseNonIterable(`${output}s`, index)} for (const ${output} of ${output}s) { ${next(output)} }`,
};
