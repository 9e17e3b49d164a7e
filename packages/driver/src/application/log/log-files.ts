import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { crashPoint } from '@millrace/common';

/** A file that is only appended to. */
export interface LogFile {
  /** Durable when it returns, or when `LogFiles.settled` resolves, if there is that. Throws what the system throws. */
  append(bytes: Uint8Array): void;
  close(): void;
}

/**
 * The disk, as the log needs it. Synchronous: an append takes a fraction of a millisecond, and going through Node's thread
 * pool would double it.
 */
export interface LogFiles {
  /** For messages. */
  readonly where: string;
  /** Before a log is opened to be written. From now on nobody else writes, and what is read is as they have left it. Absent: needs no call. */
  take?(): Promise<void>;
  /** All that was written before is durable when it resolves. Absent: it is when the writing call returns. @throws MillraceError FENCED; what kept a write from being made. */
  settled?(): Promise<void>;
  /** Names in the directory; none when it does not exist. */
  list(): readonly string[];
  read(name: string): Uint8Array;
  /** A new empty file, its name durable; undefined when there is one of that name. */
  create(name: string): LogFile | undefined;
  /** A file that appears under its name with all of `content`, durable, or not at all. */
  publish(name: string, content: Uint8Array): LogFile;
  remove(name: string): void;
  /**
   * Gives the directory another name, that says `why`, with all that is in it, so that a log can begin anew in its place.
   * Returns that name.
   */
  setAside(why: string): string;
}

/** Where the log of an application lies. */
export function applicationLogFiles(applicationsDir: string, application: string): LogFiles {
  return directoryLogFiles(join(applicationsDir, application, 'log'));
}

const TEMPORARY = '.tmp';

/** A directory of the local file system; it is made when something is first written. */
export function directoryLogFiles(directory: string): LogFiles {
  return {
    where: directory,
    list: () =>
      unless('ENOENT', () => readdirSync(directory).filter((name) => !name.endsWith(TEMPORARY))) ?? [],
    read: (name) => readFileSync(join(directory, name)),
    create(name) {
      makeDurable(directory);
      const fd = unless('EEXIST', () => openSync(join(directory, name), 'ax'));
      if (fd === undefined) return undefined;
      syncDirectory(directory);
      return appendable(fd);
    },
    publish(name, content) {
      makeDurable(directory);
      const path = join(directory, name);
      const fd = openSync(path + TEMPORARY, 'w');
      const file = appendable(fd);
      file.append(content);
      crashPoint('segment-written');
      renameSync(path + TEMPORARY, path);
      syncDirectory(directory);
      return file;
    },
    remove: (name) => rmSync(join(directory, name), { force: true }),
    setAside(why) {
      let aside = `${directory}-${why}`;
      for (let other = 2; existsSync(aside); other++) aside = `${directory}-${why}-${other}`;
      renameSync(directory, aside);
      syncDirectory(dirname(directory));
      return aside;
    },
  };
}

function appendable(fd: number): LogFile {
  let open = true;
  return {
    append(bytes) {
      for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
      fdatasyncSync(fd);
    },
    close() {
      if (open) closeSync(fd);
      open = false;
    },
  };
}

/** Makes a directory and those above it, each name durable. */
export function makeDurable(directory: string): void {
  const first = mkdirSync(directory, { recursive: true });
  if (first === undefined) return;
  for (let made = directory; made.length >= first.length; made = dirname(made)) syncDirectory(dirname(made));
}

export function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export function unless<T>(code: string, run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === code) return undefined;
    throw error;
  }
}
