import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { anyPipeline } from '../../packages/api/src/testing/any-pipeline.ts';
import { anyPairs, unordered } from '../../packages/api/src/testing/datasets.ts';
import { modelled } from '../../packages/api/src/testing/pipeline-steps.ts';
import type { ChildCommand } from '../../packages/cli/src/processes/child-command.ts';
import type { PipelineCase } from '../jobs/random-pipelines-job.ts';
import { TestCluster } from '../support/test-cluster.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';

const IS_LONG = (process.env['MILLRACE_LONG_TESTS'] ?? '') !== '';
/** Another number: MILLRACE_CLUSTER_PIPELINES; the same ones again: MILLRACE_RANDOM_SEED. */
const CASES = Number(process.env['MILLRACE_CLUSTER_PIPELINES'] ?? (IS_LONG ? 1_000 : 40));
const SEED = Number(process.env['MILLRACE_RANDOM_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const TIMEOUT_MS = 120_000 + CASES * 1_000;
/** Cases between the deaths of two executors. */
const KILL_EVERY = 20;
// Small outputs would travel in results, and nothing would be lost with an executor.
const EXECUTOR = ['--slots', '1', '--shuffle-inline-bytes-max', '0'];

const anyCase: fc.Arbitrary<PipelineCase> = fc.record({
  left: anyPairs(),
  right: anyPairs().map((partitions) => partitions.slice(0, 2).map((rows) => rows.slice(0, 3))),
  steps: anyPipeline(),
});

const kafka = useKafkaUnderTest();
let topic: string;
let cluster: TestCluster;
beforeAll(async () => {
  topic = await kafka.topic('pipelines', 1);
  cluster = await TestCluster.start(kafka.brokers, 2, EXECUTOR);
}, TIMEOUT_MS);
afterAll(() => cluster?.close());

describe(`random pipelines on executors, seed ${SEED}`, () => {
  it(
    `give what plain arrays give, while executors die (${CASES})`,
    async () => {
      const cases = fc.sample(anyCase, { numRuns: CASES, seed: SEED });
      const file = join(cluster.directory, 'pipelines');
      writeFileSync(file, serialize(cases));
      const name = `pipelines-${randomUUID().slice(0, 8)}`;
      const env = { PIPELINES_NAME: name, PIPELINES_TOPIC: topic, PIPELINES_FILE: file };
      const job = cluster.submit('random-pipelines-job', env, { batches: 1 });
      let kills = 0;
      for (let next = KILL_EVERY / 2; next < CASES; next += KILL_EVERY) {
        const isThere = (): boolean => job.output.length > next / 10;
        const ended = await Promise.race([until(`case ${next}`, isThere, TIMEOUT_MS), job.exited]);
        if (ended !== true) break;
        const [victim] = cluster.executors.splice(0, 1) as [ChildCommand];
        await cluster.kill(victim);
        await cluster.startExecutor(EXECUTOR);
        kills++;
      }
      expect({ code: await job.exited, errors: job.errors, seed: SEED }).toEqual({
        code: 0,
        errors: '[]',
        seed: SEED,
      });
      const made = deserialize(readFileSync(`${file}.made`)) as unknown[][];
      expect(made).toHaveLength(CASES);
      for (const [index, { left, right, steps }] of cases.entries()) {
        const rows = unordered(made[index] ?? []);
        const wanted = unordered(modelled(steps, left.flat(), right.flat()));
        expect({ seed: SEED, index, steps, rows }).toEqual({ seed: SEED, index, steps, rows: wanted });
      }
      expect(kills).toBeGreaterThan(0);
      process.stderr.write(`pipelines on executors: ${CASES}, seed ${SEED}, ${kills} executors killed\n`);
    },
    TIMEOUT_MS,
  );
});
