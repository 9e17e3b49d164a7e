import type { KafkaErrorNumber } from '@millrace/kafka';
import { NO_BYTES, type ReplyTo } from './group-member.ts';

export interface JoinAnswer {
  readonly kind: 'join';
  readonly errorCode: KafkaErrorNumber;
  readonly generationId: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly leader: string;
  readonly memberId: string;
  /** Only for the leader. */
  readonly members: ReadonlyArray<{ readonly memberId: string; readonly metadata: Buffer }>;
}

export interface SyncAnswer {
  readonly kind: 'sync';
  readonly errorCode: KafkaErrorNumber;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignment: Buffer;
}

/** The only effect of the machine: an answer to a request that waited, or that was just made. */
export interface GroupEffect {
  readonly to: ReplyTo;
  readonly answer: JoinAnswer | SyncAnswer;
}

export function failedJoin(to: ReplyTo, memberId: string, errorCode: KafkaErrorNumber): GroupEffect {
  return {
    to,
    answer: {
      kind: 'join',
      errorCode,
      generationId: -1,
      protocolType: null,
      protocolName: null,
      leader: '',
      memberId,
      members: [],
    },
  };
}

export function failedSync(to: ReplyTo, errorCode: KafkaErrorNumber): GroupEffect {
  return {
    to,
    answer: { kind: 'sync', errorCode, protocolType: null, protocolName: null, assignment: NO_BYTES },
  };
}
