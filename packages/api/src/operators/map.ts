import { type ElementOperator, refusePromise } from '../lineage/operator-definition.ts';

export const map: ElementOperator = {
  kind: 'map',
  form: 'element',
  fragment: ({ input, output, fn, index, next }) =>
    `const ${output} = ${fn()}(${input}); ${refusePromise(output, index)} ${next(output)}`,
};
