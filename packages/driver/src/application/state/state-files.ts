import { closeSync, fdatasync, openSync, readdirSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MillraceError } from '@millrace/common';
import { corruptState } from '@millrace/proto/task';
import { makeDurable, syncDirectory, unless } from '../log/log-files.ts';

/** A file that is only appended to. Throws what the system throws. */
export interface StateFile {
  append(bytes: Uint8Array): void;
  /** All that was appended is durable when it resolves. */
  sync(): Promise<void>;
  close(): void;
}

/** The disk, as keyed state needs it. */
export interface StateFiles {
  /** For messages. */
  readonly where: string;
  /** Names; none when the directory does not exist. */
  list(): readonly string[];
  /** A new file, its name durable. Throws when there is one of that name. */
  create(name: string): StateFile;
  /** @throws MillraceError STATE_CORRUPT when the file is not there, or shorter than `offset` + 1. `bytes`: at most so many. */
  read(name: string, offset: number, bytes: number): Uint8Array;
  size(name: string): number | undefined;
  remove(name: string): void;
}

/** Keyed state lies in the log directory: whoever sets a log aside, or restores one, has both. */
export function stateDirectory(applicationsDir: string, application: string): string {
  return join(applicationsDir, application, 'log', 'state');
}

const NAME = /^(\d{8,})-c?(\d+)\.state$/;

/** One file holds all that a batch changed. */
export function stateFileName(epoch: number, batchTime: number): string {
  return `${String(epoch).padStart(8, '0')}-${batchTime}.state`;
}

/** One file holds a checkpoint of an RDD. No log names it: the next start removes what an application run has left. */
export function checkpointFileName(epoch: number, id: number): string {
  return `${String(epoch).padStart(8, '0')}-c${id}.state`;
}

/** The epoch that wrote it; undefined: it is no file of state. */
export function epochOfStateFile(name: string): number | undefined {
  const match = NAME.exec(name);
  return match ? Number(match[1]) : undefined;
}

const dataSync = promisify(fdatasync);

export function directoryStateFiles(directory: string): StateFiles {
  return {
    where: directory,
    list: () => unless('ENOENT', () => readdirSync(directory)) ?? [],
    create(name) {
      makeDurable(directory);
      const fd = openSync(join(directory, name), 'ax', 0o600);
      syncDirectory(directory);
      return fileOf(fd);
    },
    read(name, offset, bytes) {
      const fd = openState(directory, name);
      try {
        const buffer = Buffer.alloc(bytes);
        const read = readSync(fd, buffer, 0, bytes, offset);
        if (read === 0) throw corruptState(name, 'it is cut off');
        return buffer.subarray(0, read);
      } finally {
        closeSync(fd);
      }
    },
    size: (name) => sizeOf(directory, name),
    remove: (name) => rmSync(join(directory, name), { force: true }),
  };
}

function fileOf(fd: number): StateFile {
  let isOpen = true;
  return {
    append(bytes) {
      for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
    },
    sync: () => dataSync(fd),
    close() {
      if (isOpen) closeSync(fd);
      isOpen = false;
    },
  };
}

function openState(directory: string, name: string): number {
  try {
    return openSync(join(directory, name), 'r');
  } catch (error) {
    throw corruptState(
      name,
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is none' : String(error),
      error,
    );
  }
}

function sizeOf(directory: string, name: string): number | undefined {
  return unless('ENOENT', () => statSync(join(directory, name)).size);
}

const APPLICATION = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** What executors may read: state of any application, and nothing else. */
export function stateSource(
  applicationsDir: string,
): (application: string, file: string, offset: number, bytes: number) => Uint8Array {
  return (application, file, offset, bytes) => {
    if (!APPLICATION.test(application) || epochOfStateFile(file) === undefined)
      throw new MillraceError(
        'BAD_REQUEST',
        `there is no state ${JSON.stringify(file)} of ${JSON.stringify(application)}`,
      );
    return directoryStateFiles(stateDirectory(applicationsDir, application)).read(file, offset, bytes);
  };
}

export function applicationStateFiles(applicationsDir: string, application: string): StateFiles {
  return directoryStateFiles(stateDirectory(applicationsDir, application));
}

/** Of a failed write, as the application's error. */
export function stateWriteFailure(error: unknown, where: string): MillraceError {
  return MillraceError.from(error, 'STATE_WRITE_FAILED', {
    remedy: `Make room for, or mend, the disk below ${where}, and start the application again: the batch runs again with the state before it.`,
    details: { directory: where },
  });
}
