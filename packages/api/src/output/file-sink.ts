import { basename } from 'node:path';
import { serialize } from 'node:v8';
import { type ConfigSchema, MillraceError, oneOf, resolveConfig } from '@millrace/common';
import { decodeResult } from '../actions/index.ts';
import type { JobRunner } from '../lineage/job-runner.ts';
import type { RddNode } from '../lineage/rdd-node.ts';
import type { ManifestFile } from './file-manifest.ts';

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
  /** Names the directories of the output, over all batches: where attempts write until all are done. */
  readonly stage: string;
  /** Of an action: others may write there at the same time. */
  readonly call?: string;
  /** "saveAsJsonFiles#1". */
  readonly output: string;
  /** Hash of what the batch reads: the directory is written once, and then stays. Absent: what is there is replaced. */
  readonly planHash?: string;
  /** Of fileStep: what the tasks wrote; undefined: the directory was complete already. */
  readonly parts?: ReadonlyArray<WrittenPart | undefined>;
}

/** Result of a task: the file that counts, under a name that no other attempt has. */
export interface WrittenPart extends ManifestFile {
  readonly file: string;
}

/** @throws MillraceError JOB_INVALID, CONFIG_INVALID. */
export function fileSettings(
  operation: string,
  directory: unknown,
  format: FileFormat,
  options: FileSinkOptions = {},
): Pick<FileSettings, 'directory' | 'format' | 'isCompressed'> {
  // Its name is also that of what is beside it.
  if (typeof directory !== 'string' || directory.includes('\0') || /^\.{0,2}$/.test(basename(directory)))
    throw new MillraceError('JOB_INVALID', `${operation}() needs the path of a directory`, {
      remedy: 'Give a text: a directory that all executors see, by its name.',
    });
  const { compression } = resolveConfig(FILE_SINK_OPTIONS, options, operation);
  return { directory, format, isCompressed: compression === 'gzip' };
}

/** Spark's name of a batch's directory: "prefix-TIME_MS[.suffix]". */
export function batchDirectory(prefix: string, time: number | '…', suffix: string | undefined): string {
  return `${prefix}-${time}${suffix === undefined || suffix === '' ? '' : `.${suffix}`}`;
}

/**
 * Writes a dataset as files: one a partition, apart; then those of the attempts that count become the directory, at once.
 * @throws MillraceError OUTPUT_WRITE_FAILED, OUTPUT_CONFLICT; what the rows throw.
 */
export async function saveFiles(
  node: RddNode,
  runner: JobRunner,
  settings: FileSettings,
  place: string,
): Promise<void> {
  const action = (kind: 'fileWrite' | 'fileStep', value: FileSettings) => ({
    kind,
    functions: [],
    numbers: [],
    value: serialize(value),
    place,
  });
  const written = await runner.run({ node, action: action('fileWrite', settings) });
  const parts = written.map((bytes) => decodeResult(bytes) as WrittenPart | undefined);
  const nothing = { kind: 'rows', partitions: [[]] } as const;
  const [isMade] = await runner.run({ node: nothing, action: action('fileStep', { ...settings, parts }) });
  if (isMade !== undefined && decodeResult(isMade) === false)
    runner.notice(`${settings.directory} was there already, complete, and was not written again`);
}
