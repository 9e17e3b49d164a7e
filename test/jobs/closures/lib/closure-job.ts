import { writeFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import {
  ConsumerStrategies,
  defineJob,
  env,
  type JobDefinition,
  LocationStrategies,
  MillraceError,
  type RDD,
  type StreamingContext,
} from '@millrace/api';
import type { CaseReport } from '../../../closures/case-report.ts';

/** What a case is given: the rows 1, 2, 3 in one partition of a Kafka topic. */
export interface CaseContext {
  readonly rows: RDD<number>;
  readonly ssc: StreamingContext;
}

/** [what shipped code gave, what it must give]. */
export type Case = (context: CaseContext) => Promise<readonly [unknown, unknown]>;

const INPUT = [1, 2, 3] as const;

/** The lambda gives on an executor what it gives here. It is captured before it runs here. */
export function same(f: (row: number) => unknown): Case {
  return async ({ rows }) => {
    const mapped = rows.map(f);
    const here = INPUT.map((row) => f(row));
    return [await mapped.collect(), here];
  };
}

/** For lambdas that must not give the same here and there. */
export function gives(f: (row: number) => unknown, ...expected: readonly unknown[]): Case {
  return async ({ rows }) => [
    await rows.map(f).collect(),
    expected.length === 1 ? INPUT.map(() => expected[0]) : expected,
  ];
}

/** Lambdas that a function makes, each shipped by itself. */
export function sameOf(make: () => readonly ((row: number) => unknown)[]): Case {
  return async ({ rows }) => {
    const lambdas = make();
    const mapped = lambdas.map((f) => rows.map(f));
    const here = lambdas.map((f) => INPUT.map((row) => f(row)));
    const shipped: unknown[] = [];
    for (const each of mapped) shipped.push(await each.collect());
    return [shipped, here];
  };
}

/** The text of the refusal must match. */
export function refused(make: (context: CaseContext) => unknown, expected: RegExp): Case {
  return async (context) => {
    const text = await refusal(async () =>
      context.rows.map((await make(context)) as (row: number) => unknown),
    );
    return [expected.test(text) ? 'refused as expected' : text, 'refused as expected'];
  };
}

async function refusal(ship: () => Promise<unknown>): Promise<string> {
  try {
    await ship();
    return 'accepted';
  } catch (error) {
    return MillraceError.is(error) ? `${error.code}: ${error.message}` : `not coded: ${String(error)}`;
  }
}

/** A job that runs its cases on the first batch and writes what they gave. */
export function closureJob(name: string, cases: Readonly<Record<string, Case>>): JobDefinition {
  return defineJob({ name, batchInterval: '50ms', batches: 1, taskAttemptsMax: 1 }, (ssc) => {
    ssc.kafka
      .createDirectStream(
        LocationStrategies.PreferConsistent,
        ConsumerStrategies.Subscribe(env('CLOSURES_TOPIC'), {
          brokers: env('KAFKA_BROKERS'),
          groupId: name,
          startFrom: 'earliest',
        }),
      )
      .map((record) => Number(record.value))
      .foreachRDD(async (rows) => {
        const reports: CaseReport[] = [];
        for (const [title, run] of Object.entries(cases))
          reports.push(await reportOf(title, run, { rows, ssc }));
        writeFileSync(env('CLOSURES_RESULT'), JSON.stringify(reports));
      });
  });
}

async function reportOf(title: string, run: Case, context: CaseContext): Promise<CaseReport> {
  try {
    const [actual, expected] = await run(context);
    // What was expected takes the way of a row, too: rows keep no prototypes.
    return { title, actual: shown(actual), expected: shown(deserialize(serialize(expected))) };
  } catch (error) {
    return { title, actual: `threw ${String(error)}`, expected: 'no error' };
  }
}

function shown(value: unknown): string {
  return inspect(value, { depth: 12, breakLength: 120, maxArrayLength: 200 });
}
