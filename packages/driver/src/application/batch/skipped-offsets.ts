import type { Clock } from '@millrace/common';
import { topicPartitionKey } from '@millrace/kafka';
import type { ApplicationLog } from '../log/application-log.ts';
import type { OffsetMove } from '../log/log-record.ts';
import type { OpenInput } from './batch-planner.ts';

/**
 * The log tells of every offset that no batch will read, before a batch is planned behind it.
 * @throws MillraceError LOG_WRITE_FAILED, FENCED.
 */
export function logSkipped(run: {
  readonly inputs: readonly OpenInput[];
  readonly log: ApplicationLog;
  readonly clock: Clock;
}): void {
  const { log, clock } = run;
  const inputs = run.inputs.flatMap(({ input: { inputId }, kafka }) => {
    const logged = log.state.positions.get(inputId);
    // Of a partition that was passed twice, the last word counts.
    const moves = new Map<string, OffsetMove>();
    for (const { topic, partition, to, topicId } of kafka.takeSkipped()) {
      const key = topicPartitionKey({ topic, partition });
      moves.set(key, {
        topic,
        partition,
        from: logged?.get(key)?.offset,
        offset: to,
        topicId,
        leaderEpoch: -1,
      });
    }
    return moves.size === 0 ? [] : [{ inputId, moves: [...moves.values()] }];
  });
  if (inputs.length > 0) log.move({ at: clock.now(), reason: 'data-loss', abandons: undefined, inputs });
}
