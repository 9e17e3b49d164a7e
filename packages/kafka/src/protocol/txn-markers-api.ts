import type { TopicPartition } from '../topic-partition.ts';
import { API_KEY } from '../wire/api-key.ts';
import type { KafkaApi } from './kafka-api.ts';
import { byTopic, decodeTopics } from './topic-array.ts';
import type { PartitionErrors } from './transaction-api.ts';

export interface TransactionMarkers {
  readonly id: bigint;
  readonly epoch: number;
  readonly commit: boolean;
  /** All led by the broker that is asked. */
  readonly partitions: readonly TopicPartition[];
  /** Leader epoch of the coordinator's partition of __transaction_state. */
  readonly coordinatorEpoch: number;
}

/** The end of a transaction, as its coordinator tells it the partitions. Others need the right ALTER or CLUSTER_ACTION on the cluster. */
export const WRITE_TXN_MARKERS: KafkaApi<TransactionMarkers, PartitionErrors> = {
  name: 'WriteTxnMarkers',
  key: API_KEY.WriteTxnMarkers,
  versions: [1, 1],
  flexibleFrom: 1,
  throttle: 'none',
  encode(w, { id, epoch, commit, partitions, coordinatorEpoch }) {
    w.compactArray([undefined], () => {
      w.bigint64(id).int16(epoch).boolean(commit);
      w.compactArray(byTopic(partitions), ([topic, of]) => {
        w.compactString(topic)
          .compactArray(of, ({ partition }) => w.int32(partition))
          .taggedFields();
      });
      w.int32(coordinatorEpoch).taggedFields();
    });
    w.taggedFields();
  },
  decode(r) {
    return r
      .compactArray(() => {
        r.bigint64(); // producer id
        const errors = decodeTopics(r, true, (topic) => ({
          topic,
          partition: r.int32(),
          error: r.int16(),
        }));
        r.taggedFields();
        return errors;
      })
      .flat();
  },
};
