import { PartitionLog } from './partition-log.ts';

/** As brokers tell while a partition has no leader. */
export const NO_LEADER = -1;

export interface Partition {
  readonly log: PartitionLog;
  /** Node id, or NO_LEADER. */
  leaderId: number;
}

/** One topic. A topic that is deleted and created again is another object with another id. */
export class Topic {
  readonly name: string;
  /** UUID in base64url. */
  readonly id: string;
  /** Set explicitly; everything else has Kafka's defaults. */
  readonly configs = new Map<string, string>();
  private readonly all: Partition[] = [];
  private readonly retentionBytes: number;
  private readonly nodeIds: readonly number[];

  constructor(options: {
    readonly name: string;
    readonly id: string;
    readonly partitions: number;
    readonly retentionBytes: number;
    readonly nodeIds: readonly number[];
  }) {
    this.name = options.name;
    this.id = options.id;
    this.retentionBytes = options.retentionBytes;
    this.nodeIds = options.nodeIds;
    this.grow(options.partitions);
  }

  get partitions(): readonly Partition[] {
    return this.all;
  }

  /** Adds empty partitions up to `count`. */
  grow(count: number): void {
    while (this.all.length < count) {
      this.all.push({
        log: new PartitionLog({ retentionBytes: this.retentionBytes }),
        leaderId: this.nodeIds[this.all.length % this.nodeIds.length] as number,
      });
    }
  }

  /** The node after the current leader, round robin. */
  nextLeader(partition: Partition): number {
    const at = this.nodeIds.indexOf(partition.leaderId);
    return this.nodeIds[(at + 1) % this.nodeIds.length] as number;
  }
}

/** Kafka's default of max.message.bytes: one batch as sent. */
export const DEFAULT_MAX_MESSAGE_BYTES = 1_048_588;
