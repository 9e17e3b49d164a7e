import { encodeResult } from '../actions/index.ts';
import type { JobRequest, JobRunner } from '../lineage/job-runner.ts';
import type { PersistedNode } from '../lineage/rdd-node.ts';
import type { StateCall } from '../lineage/stateful-node.ts';
import { Evaluation, KeptRows, type ReadRange } from './reference-datasets.ts';
import { act } from './reference-fragments.ts';
import { ReferenceFunctions } from './reference-functions.ts';
import { ReferenceState } from './reference-state.ts';

export interface ReferenceRunner extends JobRunner {
  readonly jobs: readonly JobRequest[];
  /** Rows that went through a shuffle. */
  readonly movedRows: number;
  /** Persisted datasets that were computed and not released. */
  readonly kept: ReadonlySet<PersistedNode>;
}

function notUsed(): never {
  throw new Error('not used');
}

/** Runs lineage literally, in memory, one partition after the other: what the engine must give, too. Lambdas stay the functions that they are. */
export function referenceRunner(read: ReadRange = notUsed): ReferenceRunner {
  const functions = new ReferenceFunctions();
  const state = new ReferenceState((call, role = 'function') => {
    const found = call.functions.find((each) => each.role === role);
    return functions.of((found as StateCall['functions'][0]).function);
  });
  const jobs: JobRequest[] = [];
  const kept = new KeptRows();
  let movedRows = 0;
  return {
    jobs,
    get kept() {
      return new Set(kept.rows.keys());
    },
    get movedRows() {
      return movedRows;
    },
    async run(job) {
      jobs.push(job);
      const evaluation = new Evaluation(functions, read, kept, state);
      const partitions = await evaluation.partitions(job.node);
      movedRows += evaluation.movedRows;
      const wanted = job.partitions ?? [...partitions.keys()];
      const results: Uint8Array[] = [];
      for (const index of wanted)
        results.push(encodeResult(await act(job.action, functions, partitions[index] ?? [])));
      return results;
    },
    release: (node) => kept.release(node),
    stateOf: (name) => state.stateOf(name),
    ship: (fn) => functions.ship(fn),
    broadcast: () => 'hash',
    dropBroadcast: () => undefined,
    print: () => undefined,
    notice: () => undefined,
    kafka: notUsed,
  };
}
