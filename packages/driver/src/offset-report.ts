/** What is asked to be done to the positions of an application that is over. */
export interface OffsetChange {
  readonly target: OffsetTarget;
  /** Topics and "topic-partition"s; none: all partitions. With exact offsets: none. */
  readonly only: readonly string[];
  /** The input whose partitions are meant; undefined: all of them. */
  readonly inputId: number | undefined;
}

export type OffsetTarget =
  /** By "topic-partition". */
  | { readonly kind: 'exact'; readonly offsets: Readonly<Record<string, number>> }
  /** group: what the stream's consumer group has committed. */
  | { readonly kind: 'earliest' | 'latest' | 'group' }
  /** ms since 1970: the first record that is not older. */
  | { readonly kind: 'timestamp'; readonly timestamp: number }
  /** So many offsets on, or back; no further than there are records. */
  | { readonly kind: 'shift'; readonly by: number };

export interface PartitionOffsets {
  readonly inputId: number;
  readonly topic: string;
  readonly partition: number;
  /** The first offset that no committed batch has read; undefined: the log does not know the partition. */
  readonly position: number | undefined;
  /** undefined: Kafka was not asked, or the stream does not read the partition any more. */
  readonly earliest: number | undefined;
  readonly latest: number | undefined;
  /** Where it is to stand; undefined: it stays. */
  readonly target: number | undefined;
  /** What the batch that is planned and not committed reads of it. */
  readonly planned: { readonly from: number; readonly until: number } | undefined;
  /** Kafka has another topic of that name than the one it stands in, or was planned in. False where Kafka was not asked. */
  readonly isRecreated: boolean;
}

/** Where the inputs of an application stand, and where they are to stand. */
export interface OffsetReport {
  readonly application: string;
  /** Epoch that the log has reached. */
  readonly epoch: number;
  /** Of committed batches. */
  readonly lastBatchTime: number | undefined;
  /** A batch that is planned and not committed. */
  readonly pendingBatchTime: number | undefined;
  /** The change gives that batch up. */
  readonly givesUp: boolean;
  readonly executed: boolean;
  /** By input, topic and partition. */
  readonly partitions: readonly PartitionOffsets[];
  readonly notes: readonly string[];
}
