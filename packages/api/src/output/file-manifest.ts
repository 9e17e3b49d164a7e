/** One file of a directory of an output. */
export interface ManifestFile {
  /** "part-00000", with ".gz" when it is compressed. */
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
  /** Of its bytes, as 8 hexadecimal digits (IEEE, as gzip's and node:zlib's). */
  readonly crc32: string;
}

/** `_SUCCESS` of a directory that an output wrote, as JSON: a directory that has it is complete, and stays as it is. */
export interface FileManifest {
  readonly format: 'millrace-files';
  readonly version: 1;
  readonly application: string;
  /** "saveAsJsonFiles#1"; of an RDD: the action's name. */
  readonly output: string;
  /** ms since 1970. */
  readonly batchTime: number;
  /** Of the run that wrote it. */
  readonly epoch: number;
  /** Counts what the batch did. */
  readonly job: number;
  /** Of a stream's output: hash of the offset ranges of the batch. */
  readonly planHash?: string;
  readonly rows: number;
  readonly bytes: number;
  readonly files: readonly ManifestFile[];
}
