import { serialize } from 'node:v8';
import type { JobRequest, JobRunner } from '../lineage/job-runner.ts';

/** Answers jobs from given results; remembers them. */
export function fakeRunner(
  results: (job: JobRequest) => unknown[] = () => [],
): JobRunner & { jobs: JobRequest[]; shipped: string[] } {
  const jobs: JobRequest[] = [];
  const shipped: string[] = [];
  return {
    jobs,
    shipped,
    async run(job) {
      jobs.push(job);
      return results(job).map((result) => serialize(result));
    },
    release: () => undefined,
    stateOf: () => undefined,
    ship(_fn, where) {
      shipped.push(where);
      return { hash: `${shipped.length}`, bytes: new Uint8Array(), place: 'job.ts:1:1', broadcastIds: [] };
    },
    broadcast: () => 'hash',
    dropBroadcast: () => undefined,
    print: () => undefined,
    notice: () => undefined,
    kafka() {
      throw new Error('not used');
    },
  };
}
