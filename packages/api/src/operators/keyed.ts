import { type ElementOperator, refuseNonIterable, refusePromise } from '../lineage/operator-definition.ts';

/** row → [key, row]. */
export const keyBy: ElementOperator = {
  kind: 'keyBy',
  form: 'element',
  fragment: ({ input, output, fn, index, next }) =>
    `const ${output}k = ${fn()}(${input}); ${refusePromise(`${output}k`, index)} const ${output} = [${output}k, ${input}]; ${next(output)}`,
};

/** [key, value] → [key, f(value)]. */
export const mapValues: ElementOperator = {
  kind: 'mapValues',
  form: 'element',
  fragment: ({ input, output, fn, index, next }) =>
    `const ${output}v = ${fn()}(${input}[1]); ${refusePromise(`${output}v`, index)} const ${output} = [${input}[0], ${output}v]; ${next(output)}`,
};

/** [key, value] → [key, each of f(value)]. */
export const flatMapValues: ElementOperator = {
  kind: 'flatMapValues',
  form: 'element',
  fragment: ({ input, output, fn, index, next }) =>
    `const ${output}s = ${fn()}(${input}[1]); ${refuseNonIterable(`${output}s`, index)} for (const ${output}v of ${output}s) { const ${output} = [${input}[0], ${output}v]; ${next(output)} }`,
};
