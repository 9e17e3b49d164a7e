import type { FunctionShipper } from '@millrace/api/internal';
import { devProgram, devSourceMaps, watchCaptured } from '@millrace/closures';
import type { Clock, ErrorRecord } from '@millrace/common';
import { closureShipper, mapError } from '@millrace/driver/embedding';
import { type TaskEngine, taskEngine } from '@millrace/executor';
import { CaptureWatch } from './capture-watch.ts';
import { FunctionReferences } from './function-references.ts';

/** How lambdas get from the job to the slots of the same process. */
export interface LambdaShipping {
  readonly ship: FunctionShipper;
  readonly engine: TaskEngine;
  readonly mapError: (error: ErrorRecord) => ErrorRecord;
}

/**
 * As on a cluster: lambdas are captured and revived, so that what a cluster would refuse is refused, and what a lambda changes of its
 * captures is a copy. For jobs whose modules were transformed one by one (by a test runner or `@millrace/local/register`).
 */
export function shippingByValue(options: {
  readonly clock: Clock;
  readonly warn: (text: string) => void;
}): LambdaShipping {
  const { clock, warn } = options;
  const watch = new CaptureWatch(warn);
  const engine = taskEngine();
  return {
    ship: closureShipper((warning) => warn(warning.what)),
    mapError: (error) => mapError(error, devSourceMaps),
    engine: {
      ...engine,
      openProgram: async () => devProgram(clock, (fn, revival) => watch.add(fn, watchCaptured(revival))),
      async runPipeline(request) {
        try {
          return await engine.runPipeline(request);
        } finally {
          watch.check(request.functions);
        }
      },
    },
  };
}

/** As in any program: the slots call the very functions of the job. For modules that were not transformed. */
export function shippingByReference(): LambdaShipping {
  const references = new FunctionReferences();
  return {
    ship: references.ship,
    engine: { ...taskEngine(), openProgram: async () => references.program },
    mapError: (error) => error,
  };
}
