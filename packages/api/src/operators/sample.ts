import type { ElementOperator } from '../lineage/operator-definition.ts';

/**
 * numbers: [withReplacement 0|1, fraction, seed, base]. See `rebased`. Deterministic: partition and seed choose the same rows in every attempt and batch; see `sampleSeed`.
 * Bernoulli without replacement, Poisson with it, as Spark's BernoulliSampler and PoissonSampler.
 */
export const sample: ElementOperator = {
  kind: 'sample',
  form: 'element',
  fragment: ({ input, output, index, number, next }) =>
    `for (let ${output}n = ${number(0)} === 1 ? rt.poisson(${index}, ${number(1)}) : rt.random(${index}) < ${number(1)} ? 1 : 0; ${output}n > 0; ${output}n--) { ${next(input)} }`,
};
