import { describe, expect, it } from '@jest/globals';
import { decodeRecordBatches, encodeRecordBatch, KAFKA_ERROR } from '@millrace/kafka';
import { type AppendResult, PartitionLog } from './partition-log.ts';
import { checkProducedBatch } from './produced-batch.ts';

interface Written {
  readonly id?: number;
  readonly epoch?: number;
  readonly sequence?: number;
  readonly transactional?: boolean;
}

function append(log: PartitionLog, written: Written = {}): AppendResult {
  const { id, epoch = 0, sequence = 0, transactional = true } = written;
  const bytes = encodeRecordBatch([{ value: 'a' }], {
    now: 1,
    ...(id === undefined ? {} : { producer: { id: BigInt(id), epoch, sequence }, transactional }),
  });
  const checked = checkProducedBatch(bytes);
  if (!checked.ok) throw new Error(checked.message);
  return log.append(bytes, checked.header);
}

const end = (log: PartitionLog, producerId: number, commit: boolean, producerEpoch = 0): void =>
  log.appendMarker({ producerId, producerEpoch, commit, timestamp: 5 });

const newLog = (): PartitionLog => new PartitionLog({ retentionBytes: 1_000_000 });

describe('transactions of a partition', () => {
  it('hold the last stable offset back until the oldest open one has ended', () => {
    const log = newLog();
    append(log);
    append(log, { id: 1 });
    append(log, { id: 2 });
    append(log);
    expect([log.lastStableOffset, log.logEndOffset]).toEqual([1, 4]);
    end(log, 2, true);
    expect(log.lastStableOffset).toBe(1);
    end(log, 1, false);
    expect([log.lastStableOffset, log.logEndOffset]).toEqual([6, 6]);
    expect(log.abortedIn(0, 6)).toEqual([{ producerId: 1, firstOffset: 1, lastOffset: 5 }]);
    expect([log.abortedIn(6, 9), log.abortedIn(0, 1)]).toEqual([[], []]);
  });

  it('are read without what comes after the last stable offset', () => {
    const log = newLog();
    append(log);
    append(log, { id: 1 });
    append(log);
    expect(log.read(0, 10_000, true, log.lastStableOffset)).toHaveLength(1);
    expect(log.read(1, 10_000, true, log.lastStableOffset)).toEqual([]);
    expect(log.availableBytes(1, 1, log.lastStableOffset)).toBe(0);
    expect(log.read(0, 10_000, true)).toHaveLength(3);
  });

  it('end in markers that our decoder understands', () => {
    const log = newLog();
    append(log, { id: 1 });
    end(log, 1, false);
    append(log, { id: 1, sequence: 1 });
    end(log, 1, true);
    const bytes = Buffer.concat(log.read(0, 10_000, true));
    const aborted = log
      .abortedIn(0, 9)
      .map(({ producerId, firstOffset }) => ({ producerId: BigInt(producerId), firstOffset }));
    const offsets: number[] = [];
    const options = { topic: 't', partition: 0, fromOffset: 0, aborted };
    for (const columns of decodeRecordBatches(bytes, 0, bytes.length, options)) {
      offsets.push(...columns.offset.subarray(0, columns.n));
    }
    expect(offsets).toEqual([2]);
  });

  it('fence the older epochs by their marker, also where nothing was written', () => {
    const log = newLog();
    end(log, 1, false, 3);
    const { INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_TXN_STATE } = KAFKA_ERROR;
    expect(append(log, { id: 1, epoch: 2 })).toEqual({ ok: false, errorCode: INVALID_PRODUCER_EPOCH });
    expect(append(log, { id: 1, epoch: 3, sequence: 4 })).toEqual({
      ok: false,
      errorCode: OUT_OF_ORDER_SEQUENCE_NUMBER,
    });
    expect(append(log, { id: 1, epoch: 3 })).toEqual({ ok: true, baseOffset: 1 });
    expect(append(log, { id: 1, epoch: 3, sequence: 1, transactional: false })).toEqual({
      ok: false,
      errorCode: INVALID_TXN_STATE,
    });
  });

  it('are open again when their markers were truncated away, and gone with their records', () => {
    const log = newLog();
    append(log);
    append(log, { id: 1 });
    end(log, 1, false);
    log.truncateTo(2);
    expect([log.lastStableOffset, log.logEndOffset, log.abortedIn(0, 9)]).toEqual([1, 2, []]);
    log.truncateTo(1);
    expect([log.lastStableOffset, log.logEndOffset]).toEqual([1, 1]);
  });

  it('are forgotten when the log start passes them', () => {
    const log = newLog();
    append(log, { id: 1 });
    end(log, 1, false);
    append(log);
    log.deleteRecordsBefore(2);
    expect(log.abortedIn(0, 9)).toEqual([]);
    expect(log.lastStableOffset).toBe(3);
  });
});
