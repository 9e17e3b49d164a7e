import type { DirectKafkaInput } from '@millrace/api/internal';
import { type Clock, type Logger, MillraceError } from '@millrace/common';
import { type KafkaClient, type KafkaOptions, type OffsetRange, topicPartitionKey } from '@millrace/kafka';
import type { OffsetChange, OffsetReport, PartitionOffsets } from '../../offset-report.ts';
import { type Discovery, discover } from '../input/discovery.ts';
import { shorten } from '../input/start-positions.ts';
import { ApplicationLog } from '../log/application-log.ts';
import type { LogFiles } from '../log/log-files.ts';
import { type RecoveredLog, recoverLog } from '../log/log-reader.ts';
import type { OffsetMove, OffsetMoves } from '../log/log-record.ts';
import { isFirstOf, type LogState } from '../log/log-state.ts';
import { sameEnd } from '../log-checks.ts';
import { keeping, rangeOf, unreadRanges } from './given-up-ranges.ts';
import { standOf } from './input-stand.ts';
import { type ChangedOffsets, isNamed, offsetsOf } from './offset-targets.ts';

export interface OffsetEditorOptions {
  readonly application: string;
  readonly inputs: readonly DirectKafkaInput[];
  readonly kafka: (options: KafkaOptions) => KafkaClient;
  readonly files: LogFiles;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly segmentBytes: number;
  readonly segmentsRetained: number;
  /** See LogClaim. */
  readonly knownEpoch: number;
}

/** An input, and what its strategy chose now. */
interface Discovered {
  readonly input: DirectKafkaInput;
  readonly discovery: Discovery;
}

/** Shows where an application that is over stands, and moves it: one record in its log, written by an epoch of its own. */
export class OffsetEditor {
  readonly #options: OffsetEditorOptions;

  constructor(options: OffsetEditorOptions) {
    this.#options = options;
  }

  /**
   * What `change` would do; with `execute`, what it has done.
   * @throws MillraceError BAD_REQUEST, OFFSET_OUT_OF_RANGE: nothing is changed; LOG_CORRUPT, LOG_WRITE_FAILED, FENCED; what Kafka refuses.
   */
  async edit(change: OffsetChange | undefined, execute: boolean): Promise<OffsetReport> {
    const { files, inputs } = this.#options;
    const recovered = recoverLog(files);
    if (change) refuseStrangers(change, inputs);
    const found = await Promise.all(inputs.map((input) => this.#discover(input, recovered.state)));
    if (change) refuseUnnamed(change, found);
    const changed = await Promise.all(found.map((each) => this.#offsets(each, recovered.state, change)));
    const asked = changed.flatMap(({ partitions }) => partitions);
    const givenUp = changed.some(({ isSaid }) => isSaid) ? recovered.state.pending : undefined;
    const kept = givenUp ? unreadRanges(recovered.state, asked) : new Map<string, OffsetRange>();
    const partitions = keeping(asked, kept, recovered.state);
    const moved = partitions.filter(({ target }) => target !== undefined);
    const report = this.#report(recovered, partitions, givenUp !== undefined);
    if (!execute || (moved.length === 0 && !givenUp)) return report;
    const epoch = await this.#move(recovered, movesOf(moved, found, kept));
    return { ...report, epoch, executed: true };
  }

  async #discover(input: DirectKafkaInput, state: LogState): Promise<Discovered> {
    const logged = state.positions.get(input.inputId) ?? new Map();
    const positions = new Map([...logged].map(([key, { offset }]) => [key, offset]));
    const kafka = this.#options.kafka(input.options.client);
    return { input, discovery: await discover(kafka, input.strategy, positions) };
  }

  #offsets(
    { input, discovery }: Discovered,
    state: LogState,
    change: OffsetChange | undefined,
  ): Promise<ChangedOffsets> {
    const { inputId, options } = input;
    const kafka = this.#options.kafka(options.client);
    const { groupId } = options;
    return offsetsOf({ stand: standOf(state, inputId), groupId, kafka, discovery }, change);
  }

  /** Returns the epoch that did it. */
  async #move(before: RecoveredLog, inputs: OffsetMoves['inputs']): Promise<number> {
    const { files, logger, clock, segmentBytes, segmentsRetained, knownEpoch } = this.#options;
    const { history } = before.state;
    await files.take?.();
    const log = ApplicationLog.open({
      files,
      logger,
      segmentBytes,
      segmentsRetained,
      historyMs: history.keepMs,
      claim: { knownEpoch, anew: false },
    });
    try {
      if (!sameEnd(log.state, before.state)) {
        throw new MillraceError('FENCED', 'the application ran while its offsets were looked at', {
          remedy: 'Stop it, and try again.',
        });
      }
      log.move({
        at: clock.now(),
        reason: 'request',
        abandons: log.state.pending?.batchTime,
        inputs,
      });
      await log.settled();
      return log.epoch;
    } finally {
      log.close();
    }
  }

  #report(
    { state, epoch }: RecoveredLog,
    partitions: readonly PartitionOffsets[],
    givesUp: boolean,
  ): OffsetReport {
    const { lastDone, pending } = state;
    return {
      application: this.#options.application,
      epoch,
      lastBatchTime: lastDone,
      pendingBatchTime: pending?.batchTime,
      givesUp,
      executed: false,
      partitions,
      notes: [
        ...(pending && givesUp ? [givesUpNote(pending.batchTime)] : []),
        ...firstStartNotes(state, partitions),
      ],
    };
  }
}

/** Of inputs that have read nothing yet, and whose offsets are given in part. */
function firstStartNotes(state: LogState, partitions: readonly PartitionOffsets[]): readonly string[] {
  const inputs = Map.groupBy(partitions, ({ inputId }) => inputId);
  return [...inputs].flatMap(([inputId, all]) => {
    const unsaid = all.filter(({ target, position }) => target === undefined && position === undefined);
    if (!isFirstOf(state, inputId) || unsaid.length === 0 || unsaid.length === all.length) return [];
    const names = shorten(unsaid.map((tp) => topicPartitionKey(tp)));
    return [
      `input ${inputId} has read nothing yet: what is not named (${names}) begins as its stream says: given offsets, consumer group, startFrom`,
    ];
  });
}

function givesUpNote(batchTime: number): string {
  return `batch ${new Date(batchTime).toISOString()} was planned and not committed: it is given up; what is not skipped of it is read again, and its outputs may have written some of it already`;
}

function movesOf(
  moved: readonly PartitionOffsets[],
  found: readonly Discovered[],
  kept: ReadonlyMap<string, OffsetRange>,
): OffsetMoves['inputs'] {
  const inputs = Map.groupBy(moved, ({ inputId }) => inputId);
  return [...inputs].map(([inputId, partitions]) => {
    const topics = found.find(({ input }) => input.inputId === inputId)?.discovery.topics;
    const moves = partitions.map((each): OffsetMove => {
      const { topic, partition, position, target = 0 } = each;
      const range = rangeOf(kept, each);
      // What nobody has named stays in the topic that it was planned in.
      const topicId = range ? range.topicId : topics?.get(topicPartitionKey({ topic, partition }))?.topicId;
      return {
        topic,
        partition,
        from: position,
        offset: target,
        topicId,
        leaderEpoch: range?.leaderEpoch ?? -1,
      };
    });
    return { inputId, moves };
  });
}

/** @throws MillraceError BAD_REQUEST. */
function refuseStrangers({ inputId }: OffsetChange, inputs: readonly DirectKafkaInput[]): void {
  if (inputId === undefined || inputs.some((input) => input.inputId === inputId)) return;
  throw new MillraceError('BAD_REQUEST', `the application has no input ${inputId}`, {
    remedy: `It has ${inputs.map((input) => `${input.inputId} (${input.strategy.describe()})`).join(', ')}.`,
  });
}

/** What is named and not there, or there twice, is most likely a slip of the pen. @throws MillraceError BAD_REQUEST. */
function refuseUnnamed(change: OffsetChange, found: readonly Discovered[]): void {
  const { target, only, inputId } = change;
  const meant = found.filter(({ input }) => inputId === undefined || input.inputId === inputId);
  const names = target.kind === 'exact' ? Object.keys(target.offsets) : only;
  for (const name of names) {
    const one = { ...change, only: [name], target: target.kind === 'exact' ? oneOf(target, name) : target };
    const inputs = meant.filter(({ discovery }) => discovery.partitions.some((tp) => isNamed(one, tp)));
    if (inputs.length === 0) {
      throw new MillraceError('BAD_REQUEST', `the application reads nothing that is called ${name}`, {
        remedy: 'See millrace offsets show.',
      });
    }
    if (inputs.length > 1 && target.kind === 'exact') {
      const ids = inputs.map(({ input }) => input.inputId).join(', ');
      throw new MillraceError('BAD_REQUEST', `inputs ${ids} read ${name}`, {
        remedy: 'Say which (--input).',
      });
    }
  }
}

function oneOf(target: OffsetChange['target'] & { kind: 'exact' }, name: string): OffsetChange['target'] {
  return { kind: 'exact', offsets: { [name]: target.offsets[name] ?? 0 } };
}
