import { serialize } from 'node:v8';
import { type ConfigSchema, MillraceError, oneOf, resolveConfig } from '@millrace/common';
import type { JobRunner } from '../lineage/job-runner.ts';
import { partitionCount, type RddNode } from '../lineage/rdd-node.ts';

const FILE_SINK_OPTIONS = {
  compression: oneOf(['none', 'gzip'], { doc: '\'gzip\': files end in ".gz"', default: 'none' }),
} satisfies ConfigSchema;

export interface FileSinkOptions {
  /** 'gzip': files end in ".gz". */
  readonly compression?: 'none' | 'gzip';
}

export type FileFormat = 'text' | 'json';

/** `value` of a fileWrite or fileStep action. */
export interface FileSettings {
  /** A path of the executors' machines. */
  readonly directory: string;
  readonly format: FileFormat;
  readonly isCompressed: boolean;
  /** Of fileStep. begin: what was complete is not any more; commit: removes what is not of this run, and marks it as complete. */
  readonly step?: 'begin' | 'commit';
  /** Of fileStep: how many files there are. */
  readonly files?: number;
}

/** @throws MillraceError JOB_INVALID, CONFIG_INVALID. */
export function fileSettings(
  operation: string,
  directory: unknown,
  format: FileFormat,
  options: FileSinkOptions = {},
): FileSettings {
  if (typeof directory !== 'string' || directory === '' || directory.includes('\0'))
    throw new MillraceError('JOB_INVALID', `${operation}() needs the path of a directory`, {
      remedy: 'Give a text: a directory that all executors see.',
    });
  const { compression } = resolveConfig(FILE_SINK_OPTIONS, options, operation);
  return { directory, format, isCompressed: compression === 'gzip' };
}

/** Spark's name of a batch's directory: "prefix-TIME_MS[.suffix]". */
export function batchDirectory(prefix: string, time: number, suffix: string | undefined): string {
  return `${prefix}-${time}${suffix === undefined || suffix === '' ? '' : `.${suffix}`}`;
}

/**
 * Writes a dataset as files: begin (unless what is there is of the same rows), one file a partition, commit.
 * @throws MillraceError OUTPUT_WRITE_FAILED; what the rows throw.
 */
export async function saveFiles(
  node: RddNode,
  runner: JobRunner,
  settings: FileSettings,
  { isNew, place }: { readonly isNew: boolean; readonly place: string },
): Promise<void> {
  const action = (kind: 'fileWrite' | 'fileStep', value: FileSettings) => ({
    kind,
    functions: [],
    numbers: [],
    value: serialize(value),
    place,
  });
  const step = async (value: FileSettings): Promise<void> => {
    const nothing = { kind: 'rows', partitions: [[]] } as const;
    await runner.run({ node: nothing, action: action('fileStep', value) });
  };
  if (isNew) await step({ ...settings, step: 'begin' });
  await runner.run({ node, action: action('fileWrite', settings) });
  await step({ ...settings, step: 'commit', files: partitionCount(node) });
}
