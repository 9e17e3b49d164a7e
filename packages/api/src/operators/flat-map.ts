import { type ElementOperator, refusePromise } from '../lineage/operator-definition.ts';

export const flatMap: ElementOperator = {
  kind: 'flatMap',
  form: 'element',
  fragment: ({ input, output, fn, index, next }) =>
    `const ${output}s = ${fn()}(${input}); ${refusePromise(`${output}s`, index)} for (const ${output} of ${output}s) { ${next(output)} }`,
};
