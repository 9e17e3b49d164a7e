import { existsSync, readFileSync } from 'node:fs';
import type { ReadLog } from '../../packages/driver/src/application/log/log-reader.ts';

/** What test/jobs/state-job.ts writes of a batch, each time that it runs. */
export interface StateLine {
  readonly time: number;
  readonly output: string;
  readonly rows: readonly (readonly [string, number])[];
}

export const sumOf = ({ rows }: StateLine): number => rows.reduce((total, [, count]) => total + count, 0);

/** All lines but one that its writer did not end. */
export function stateLines(file: string): readonly StateLine[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as StateLine);
}

/** Records that each committed batch had read, with all before it. */
export function recordsRead({ batches }: ReadLog): ReadonlyMap<number, number> {
  let records = 0;
  const read = new Map<number, number>();
  for (const { planned, committed } of batches) {
    if (!committed) continue;
    for (const { ranges } of planned.inputs)
      for (const { fromOffset, untilOffset } of ranges) records += untilOffset - fromOffset;
    read.set(planned.batchTime, records);
  }
  return read;
}
