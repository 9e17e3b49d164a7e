import * as fc from 'fast-check';
import { type PipelineStep, STEPS } from './pipeline-steps.ts';

/** Up to six steps: what a counterexample prints. */
export function anyPipeline(): fc.Arbitrary<PipelineStep[]> {
  const step = fc.constantFrom(...(Object.keys(STEPS) as (keyof typeof STEPS)[]));
  return fc.array(fc.record({ step, partitions: fc.integer({ min: 1, max: 4 }) }), { maxLength: 6 });
}
