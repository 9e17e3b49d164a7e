// Keys and values: tombstones, a codec of one's own, and records that do not decode.
import {
  type Codec,
  ConsumerStrategies,
  defineJob,
  env,
  json,
  LocationStrategies,
  nullable,
  utf8,
} from '@millrace/api';
import type { Order } from './order.ts';

const orderId: Codec<number> = {
  decode: (bytes) => {
    if (bytes.length !== 4) throw new Error(`an order id has 4 bytes, not ${bytes.length}`);
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  },
  encode: (id) => {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, id);
    return bytes;
  },
};

export default defineJob({ name: 'codecs', batchInterval: '1s' }, (ssc) => {
  const kafka = { brokers: env('KAFKA_BROKERS'), startFrom: 'earliest' } as const;

  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe('orders-by-id', {
        ...kafka,
        groupId: 'codecs-1',
        key: orderId,
        value: nullable(json<Order>()), // null: a tombstone
      }),
    )
    .map((record) => (record.value === null ? `${record.key} was deleted` : `${record.key} is there`))
    .print();

  // A record that does not parse fails its batch. To go on without it, decode in a lambda, and count what is left out.
  const malformed = ssc.accumulator(0, 'malformed orders');
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe('orders-by-anyone', { ...kafka, groupId: 'codecs-2', value: utf8() }),
    )
    .flatMap((record) => {
      try {
        return [JSON.parse(record.value) as Order];
      } catch {
        malformed.add(1);
        return [];
      }
    })
    .foreachRDD(async (rdd) => {
      console.log(await rdd.count(), 'orders;', malformed.value, 'left out since the start');
    });
});
