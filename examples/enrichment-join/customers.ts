import type { KafkaRecord, RDD } from '@millrace/api';

/** What the shop knows of a customer (JSON). */
export interface Customer {
  readonly name: string;
  readonly country: string;
}

/** One version of a customer; null: deleted. */
export interface Version {
  readonly offset: number;
  readonly customer: Customer | null;
}

/** Compaction leaves older versions for a while. All versions of a customer are in one partition of the topic, so offsets tell which one is newer. */
export function newer(a: Version, b: Version): Version {
  return a.offset > b.offset ? a : b;
}

/** The topic's records, oldest and newest → [customer, what is known of them now]. */
export function latestCustomers(
  records: RDD<KafkaRecord<string | null, Customer | null>>,
  partitions: number,
): RDD<[string, Customer]> {
  return records
    .map(({ key, value, offset }): [string, Version] => [key ?? '', { offset, customer: value }])
    .reduceByKey(newer, partitions)
    .flatMapValues(({ customer }) => (customer === null ? [] : [customer]));
}
