import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { anyPipeline } from '../testing/any-pipeline.ts';
import { anyPairs, dataset, unordered } from '../testing/datasets.ts';
import { applied, modelled } from '../testing/pipeline-steps.ts';
import { referenceRunner } from '../testing/reference-runner.ts';

describe('pipelines of any operators', () => {
  it('give what plain arrays give', async () => {
    await fc.assert(
      fc.asyncProperty(anyPairs(), anyPairs(), anyPipeline(), async (left, right, steps) => {
        const runner = referenceRunner();
        // Few of them: joins multiply rows.
        const others = right.slice(0, 2).map((rows) => rows.slice(0, 3));
        const rdd = await applied(steps, dataset(left, runner), dataset(others, runner));
        expect(unordered(await rdd.collect())).toEqual(
          unordered(modelled(steps, left.flat(), others.flat())),
        );
        expect(await rdd.count()).toBe(modelled(steps, left.flat(), others.flat()).length);
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 300) },
    );
  });
});
