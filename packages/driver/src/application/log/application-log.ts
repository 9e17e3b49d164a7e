import { randomUUID } from 'node:crypto';
import { crashPoint, type Logger, MillraceError, messageOf } from '@millrace/common';
import type { StateChanges } from '../state/logged-state.ts';
import type { LogFile, LogFiles } from './log-files.ts';
import { recoverLog } from './log-reader.ts';
import type { BatchMetrics, FencePoint, LogRecord, OffsetMoves, PlannedBatch } from './log-record.ts';
import { anchorOf, applyRecord, EMPTY_LOG, keepingHistory, type LogState } from './log-state.ts';
import { encodeRecord, logLost } from './record-codec.ts';
import { newestEpoch, segmentName, segmentsOf } from './segment-name.ts';

export interface ApplicationLogOptions {
  readonly files: LogFiles;
  readonly logger: Logger;
  /** A segment is rotated when this much has been appended after its anchor. */
  readonly segmentBytes: number;
  /** Rotated segments that are kept beside the one in use. */
  readonly segmentsRetained: number;
  /** ms: batches of the last so many are kept for windows; default: none. */
  readonly historyMs?: number;
  /** See `LogClaim`. */
  readonly claim?: LogClaim;
}

/** What is known of a log besides its files. */
export interface LogClaim {
  /** The highest epoch that is known to have run. A log that does not reach it has been lost, at least in part. */
  readonly knownEpoch: number;
  /** Begin anew: a log that does not reach beyond `knownEpoch` is set aside. One that does has begun anew already. */
  readonly anew: boolean;
}

const NO_CLAIM: LogClaim = { knownEpoch: 0, anew: false };

/** Epochs taken by others in a row while this start tries to take one: more is a storm of restarts. */
const EPOCH_ATTEMPTS_MAX = 100;

/**
 * The offset log and the commit log of one application, held by one epoch. A batch's plan is durable before its first task,
 * and its commit before the next plan. Every write is one append with one fdatasync.
 */
export class ApplicationLog {
  readonly epoch: number;
  readonly #options: ApplicationLogOptions;
  #file: LogFile;
  #segment = 1;
  #segmentBytes = 0;
  #anchorBytes = 0;
  #state: LogState;
  /** Set by the first failure: a log that may have lost a write is not written again. */
  #failure: MillraceError | undefined;

  private constructor(options: ApplicationLogOptions, epoch: number, file: LogFile, state: LogState) {
    this.#options = options;
    this.epoch = epoch;
    this.#file = file;
    this.#state = state;
  }

  /**
   * Takes the next epoch: from now on every older holder is fenced.
   * @throws MillraceError LOG_CORRUPT, LOG_WRITE_FAILED, FENCED; a log that was lost: nothing is written then.
   */
  static open(options: ApplicationLogOptions): ApplicationLog {
    const { files, claim = NO_CLAIM, historyMs = 0 } = options;
    if (claim.anew && loggedEpoch(files) <= claim.knownEpoch) return ApplicationLog.#begin(options, claim);
    assertReaches(files, claim.knownEpoch);
    const { epoch, file } = takeEpoch(files);
    crashPoint('epoch-taken');
    // Read after the epoch was taken: what the old holder appends from here on, it finds out to be fenced.
    let log: ApplicationLog;
    try {
      const { state, end } = recoverLog(files, historyMs);
      log = new ApplicationLog(options, epoch, file, withId(state));
      log.#anchor(end);
    } catch (error) {
      file.close();
      throw error;
    }
    log.#retain();
    return log;
  }

  /** One write makes the new log: a start that dies before it is made again, one that dies after it has begun. */
  static #begin(options: ApplicationLogOptions, { knownEpoch }: LogClaim): ApplicationLog {
    const { files, logger, historyMs = 0 } = options;
    const epoch = knownEpoch + 1;
    const state = keepingHistory(withId({ ...EMPTY_LOG, ...ownerOf(files), isAnew: true }), historyMs);
    const anchor = encodeRecord(anchorOf(state, epoch, undefined));
    try {
      const before = newestEpoch(files.list());
      if (before > 0) {
        const aside = files.setAside(`until-epoch-${before}`);
        logger.warn({ epoch, aside }, 'the log begins anew, as was asked for; the earlier one is kept');
      }
      const file = files.publish(segmentName(epoch, 1), anchor);
      const log = new ApplicationLog(options, epoch, file, state);
      log.#segmentBytes = anchor.length;
      log.#anchorBytes = anchor.length;
      return log;
    } catch (error) {
      throw notWritable(files, error);
    }
  }

  get state(): LogState {
    return this.#state;
  }

  /** The batch will read exactly this. @throws MillraceError LOG_WRITE_FAILED, FENCED: then it must not run. */
  plan(batch: Omit<PlannedBatch, 'epoch'>): void {
    this.#append({ ...batch, kind: 'planned', epoch: this.epoch });
  }

  /** The batch is done. `state`: what it made of keyed state, whose files are durable. @throws MillraceError LOG_WRITE_FAILED, FENCED. */
  commit(batchTime: number, metrics: BatchMetrics, state?: StateChanges): void {
    const { epoch } = this;
    this.#append({ kind: 'committed', batchTime, epoch, metrics, ...(state && { state }) });
    // An anchor with a long history is not written again before as much was appended.
    const least = this.#state.history.keepMs > 0 ? this.#anchorBytes : 0;
    const appended = this.#segmentBytes - this.#anchorBytes;
    if (appended >= Math.max(this.#options.segmentBytes, least)) this.#rotate();
  }

  /** Positions were set, and the planned batch given up, if there is one. @throws MillraceError LOG_WRITE_FAILED, FENCED. */
  move(moves: OffsetMoves): void {
    this.#append({ ...moves, kind: 'moved', epoch: this.epoch });
  }

  /** So many tasks of an exactly-once output may run. @throws MillraceError LOG_WRITE_FAILED, FENCED: then they must not. */
  output(prefix: string, tasks: number): void {
    this.#append({ kind: 'output', epoch: this.epoch, prefix, tasks });
  }

  /** What was written so far is durable when it resolves; undefined: it is already. @throws MillraceError LOG_WRITE_FAILED, FENCED: then it must not be acted on. */
  settled(): Promise<void> | undefined {
    return this.#options.files.settled?.().catch((error: unknown) => {
      throw this.#fail(error);
    });
  }

  close(): void {
    this.#failure ??= new MillraceError('CANCELLED', 'the log is closed');
    this.#file.close();
  }

  #append(record: LogRecord): void {
    if (this.#failure) throw this.#failure;
    const next = applyRecord(this.#state, record);
    this.#write(() => {
      const bytes = encodeRecord(record);
      this.#file.append(bytes);
      this.#segmentBytes += bytes.length;
    });
    this.#state = next;
  }

  #anchor(fence: FencePoint | undefined): void {
    this.#append(anchorOf(this.#state, this.epoch, fence));
    this.#anchorBytes = this.#segmentBytes;
  }

  #rotate(): void {
    const fence = { epoch: this.epoch, segment: this.#segment, bytes: this.#segmentBytes };
    const anchor = encodeRecord(anchorOf(this.#state, this.epoch, fence));
    this.#write(() => {
      const file = this.#options.files.publish(segmentName(this.epoch, this.#segment + 1), anchor);
      crashPoint('segment-named');
      this.#file.close();
      this.#file = file;
    });
    this.#segment += 1;
    this.#segmentBytes = anchor.length;
    this.#anchorBytes = anchor.length;
    this.#retain();
  }

  /** A write counts when no newer epoch existed after it was durable; the check before it keeps a fenced holder from writing at all. */
  #write(write: () => void): void {
    if (this.#failure) throw this.#failure;
    try {
      this.#checkEpoch();
      write();
      this.#checkEpoch();
    } catch (error) {
      throw this.#fail(error);
    }
  }

  #fail(error: unknown): MillraceError {
    const { where } = this.#options.files;
    this.#failure ??= MillraceError.from(error, 'LOG_WRITE_FAILED', {
      remedy: `Make room for, or mend, what is at ${where}, and start the application again: it goes on where the log ends.`,
      details: { directory: where, reason: messageOf(error) },
    });
    return this.#failure;
  }

  #checkEpoch(): void {
    const newest = segmentsOf(this.#options.files.list()).at(-1);
    if (newest === undefined) throw new Error('its files were removed');
    if (newest.epoch <= this.epoch) return;
    throw new MillraceError('FENCED', `epoch ${this.epoch} was overtaken by epoch ${newest.epoch}`, {
      remedy: 'Nothing is lost: the newer run of the application goes on.',
      details: { epoch: this.epoch, newer: newest.epoch },
    });
  }

  /** Only after an anchor is durable: it says all that the removed segments said. */
  #retain(): void {
    const { files, segmentsRetained, logger } = this.#options;
    for (const { name } of segmentsOf(files.list()).slice(0, -1 - segmentsRetained)) {
      try {
        files.remove(name);
      } catch (error) {
        logger.warn(
          { file: name, reason: messageOf(error) },
          'an old log segment could not be removed; remove it by hand',
        );
      }
    }
  }
}

function takeEpoch(files: LogFiles): { readonly epoch: number; readonly file: LogFile } {
  for (let attempt = 0; attempt < EPOCH_ATTEMPTS_MAX; attempt++) {
    try {
      const epoch = newestEpoch(files.list()) + 1;
      const file = files.create(segmentName(epoch, 1));
      if (file) return { epoch, file };
    } catch (error) {
      throw notWritable(files, error);
    }
  }
  throw new MillraceError(
    'FENCED',
    `${EPOCH_ATTEMPTS_MAX} other starts took an epoch of ${files.where} first`,
  );
}

function notWritable(files: LogFiles, error: unknown): MillraceError {
  return MillraceError.from(error, 'LOG_WRITE_FAILED', {
    remedy: `Make ${files.where} writable.`,
    details: { directory: files.where },
  });
}

/**
 * The highest epoch that was taken, whoever heard of it.
 * @throws MillraceError LOG_CORRUPT: there is something that is no log.
 */
export function loggedEpoch(files: LogFiles): number {
  try {
    return newestEpoch(files.list());
  } catch (error) {
    throw MillraceError.from(error, 'LOG_CORRUPT', {
      remedy: `Make ${files.where} a directory that the driver may read, or move what is there away.`,
      details: { directory: files.where },
    });
  }
}

function assertReaches(files: LogFiles, knownEpoch: number): void {
  const epoch = knownEpoch === 0 ? 0 : (recoverLog(files).end?.epoch ?? 0);
  if (epoch < knownEpoch) throw logLost(files.where, epoch, knownEpoch);
}

function withId(state: LogState): LogState {
  return state.id === undefined ? { ...state, id: randomUUID() } : state;
}

/** Of a log that is to be set aside: its application stays the same one, and takes all from its earlier runs that they may write to. */
function ownerOf(files: LogFiles): Partial<Pick<LogState, 'id' | 'outputs'>> {
  try {
    const { id, outputs } = recoverLog(files).state;
    return { outputs, ...(id !== undefined && { id }) };
  } catch {
    // It is set aside because it cannot be read.
    return {};
  }
}
