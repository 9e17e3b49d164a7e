/**
 * Bundles and checks the jobs in the directories that it is sent, one after the other: in one process, without a
 * cluster and without Kafka. Functions of foreachRDD are called once, with an RDD that has no rows.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { RDD } from '@millrace/api';
import type { JobRunner } from '@millrace/api/internal';
import { bundleJob, type JobWarning, millraceResolveHook } from '@millrace/closures';
import { MillraceError, problemsError, problemsOf } from '@millrace/common';
import { closureShipper, loadProgram } from '../../packages/driver/src/application/load-program.ts';
import { framed, programErrors } from '../../packages/driver/src/application/program-errors.ts';
import type { EvaluatedJob } from './evaluated-job.ts';

millraceResolveHook({ parentUrl: import.meta.resolve('../../packages/driver/src/index.ts') });
const unpacked = mkdtempSync(join(tmpdir(), 'millrace-evaluated-'));
process.once('exit', () => rmSync(unpacked, { recursive: true, force: true }));
let programs = 0;

/** Manifest fields that a test changes: a bundle of another time. */
export interface EvaluateRequest {
  readonly directory: string;
  readonly manifest?: Readonly<Record<string, unknown>>;
}

async function evaluate({ directory, manifest }: EvaluateRequest): Promise<EvaluatedJob> {
  const warnings: JobWarning[] = [];
  const programDir = join(unpacked, String(programs++));
  try {
    const { files } = await bundleJob(join(directory, 'job.ts'));
    for (const { path, content } of files) {
      mkdirSync(dirname(join(programDir, path)), { recursive: true });
      const isChanged = path === 'manifest.json' && manifest !== undefined;
      const text = Buffer.from(content).toString();
      const changed = isChanged ? JSON.stringify({ ...JSON.parse(text), ...manifest }) : content;
      writeFileSync(join(programDir, path), changed);
    }
    const warn = (warning: JobWarning): void => void warnings.push(warning);
    const { context } = await loadProgram(programDir, {}, warn);
    const { graph } = context.internals;
    const ship = closureShipper(warn);
    const problems = [...graph.finish(ship)];
    const runner = {
      ship,
      run: () => Promise.resolve([]),
      print: () => undefined,
      broadcast: () => undefined,
    } as unknown as JobRunner;
    context.internals.attach(runner);
    for (const { run } of graph.graph.outputs) {
      const empty = new RDD({ kind: 'kafka', ranges: [] } as never, runner);
      await Promise.resolve()
        .then(() => run(empty, { batchTime: 0 } as never))
        .catch((error: unknown) => {
          // The stand-in has no rows: only what shipping refuses is of interest.
          if (MillraceError.is(error) && error.code.startsWith('CLOSURE_')) problems.push(error);
        });
    }
    const error = problemsError(problems);
    if (error) throw error;
    return { problems: [], text: '', warnings };
  } catch (error) {
    const map = programErrors(programDir);
    const record = framed(map(MillraceError.toRecord(error)));
    const mapped = MillraceError.fromRecord(record);
    return {
      problems: problemsOf(mapped).map((problem) => MillraceError.toRecord(problem)),
      text: mapped.what,
      warnings,
    };
  }
}

process.on('message', ({ id, request }: { id: number; request: EvaluateRequest }) => {
  void evaluate(request).then((evaluated) => process.send?.({ id, evaluated }));
});
process.on('disconnect', () => process.exit(0));
