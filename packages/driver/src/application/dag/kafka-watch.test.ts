import { describe, expect, it } from '@jest/globals';
import { type ErrorCode, MillraceError } from '@millrace/common';
import type { TaskEvent } from '../../task-backend.ts';
import { KafkaWatch } from './kafka-watch.ts';

const key = { application: 'a', epoch: 1, batchTime: 1000, jobId: 1, stageId: 1 };

function watch() {
  const notices: string[] = [];
  const watching = new KafkaWatch(600_000, (level, text) => notices.push(`${level}: ${text}`));
  const failed = (partition: number, code: ErrorCode = 'KAFKA_UNREACHABLE'): void => {
    const error = MillraceError.toRecord(new MillraceError(code, 'nobody is there'));
    watching.see({ kind: 'attempt-failed', key, partition, attempt: 0, executorId: 'e', error });
  };
  const succeeded = (partition: number): void =>
    watching.see({ kind: 'task-succeeded', key, partition } as TaskEvent);
  return { watching, notices, failed, succeeded };
}

const WAITS = 'warn: tasks wait for Kafka, up to 600 s: nobody is there';

describe('whoever looks on while tasks wait for Kafka', () => {
  it('is told once that they do, and once that none does any more', () => {
    const { notices, failed, succeeded } = watch();
    failed(0);
    failed(0);
    failed(1);
    succeeded(7);
    failed(0);
    succeeded(1);
    expect(notices).toEqual([WAITS]);
    succeeded(0);
    succeeded(2);
    expect(notices).toEqual([WAITS, 'info: tasks reach Kafka again']);
  });

  it('is told again in another batch, and nothing of other failures', () => {
    const { watching, notices, failed } = watch();
    failed(0);
    watching.endBatch();
    failed(0, 'USER_CODE');
    expect(notices).toHaveLength(1);
    failed(0);
    expect(notices).toEqual([WAITS, WAITS]);
  });
});
