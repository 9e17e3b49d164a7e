// Orders with who placed them, to another topic: a stream joined with a table, which Kafka keeps as a compacted topic (key: customer, value: what is known).
//   millrace submit examples/enrichment-join/job.ts --env KAFKA_BROKERS=localhost:9092
import {
  ConsumerStrategies,
  defineJob,
  env,
  json,
  LocationStrategies,
  nullable,
  type RDD,
  seconds,
} from '@millrace/api';
import { type Customer, latestCustomers } from './customers.ts';
import { enriched, type Order } from './orders.ts';

const PARTITIONS = 4;

export default defineJob({ name: 'enrichment-join', batchInterval: seconds(1) }, (ssc) => {
  const kafka = { brokers: env('KAFKA_BROKERS') };
  const customersTopic = env('CUSTOMERS_TOPIC', 'customers');
  const refreshMs = Number(env('CUSTOMERS_REFRESH_MS', '60000'));

  // Kept on the executors and partitioned as the join wants it: batches read it where it lies, and move their orders only.
  let customers: RDD<[string, Customer]> | undefined;
  let readAt = 0;
  async function customersAt(time: number): Promise<RDD<[string, Customer]>> {
    if (customers !== undefined && time < readAt + refreshMs) return customers;
    const records = await ssc.kafka.createRDD({ ...kafka, value: nullable(json<Customer>()) }, [
      { topic: customersTopic, from: 'earliest', until: 'latest' },
    ]);
    customers?.unpersist();
    customers = latestCustomers(records, PARTITIONS).persist();
    readAt = time;
    return customers;
  }

  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe([env('ORDERS_TOPIC', 'shop-orders')], {
        ...kafka,
        groupId: 'enrichment-join',
        startFrom: 'earliest',
        value: json<Order>(),
      }),
    )
    .map(({ value }): [string, Order] => [value.customer, value])
    .transform(async (orders, time) => orders.leftOuterJoin(await customersAt(time), PARTITIONS))
    .map(([, [order, customer]]) => [order.id, enriched(order, customer)] as const)
    .toKafka(env('ENRICHED_TOPIC', 'enriched-orders'), kafka);
});
