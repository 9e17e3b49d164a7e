import { type Random, randomInt } from '@millrace/common';
import type { ProduceRecord } from '../kafka-port.ts';
import { murmur2 } from './murmur2.ts';

const SCRATCH = Buffer.allocUnsafe(1024);

/** Partition of a key among `count`, as Java's producer: murmur2 without the sign, modulo. */
export function partitionOfKey(key: string | Uint8Array, count: number): number {
  return (hashOf(key) & 0x7fffffff) % count;
}

function hashOf(key: string | Uint8Array): number {
  if (typeof key !== 'string') return murmur2(key);
  // At most 3 bytes a code unit: then the scratch buffer surely has room.
  if (key.length * 3 > SCRATCH.length) return murmur2(Buffer.from(key, 'utf8'));
  return murmur2(SCRATCH, SCRATCH.write(key, 0, 'utf8'));
}

/**
 * Chooses partitions: the record's own, by key, or else the sticky one: records without a key stay together until so many
 * bytes went to a partition (KIP-480, KIP-794), so that batches are large.
 */
export class Partitioner {
  private readonly random: Random;
  private readonly stickyBytes: number;
  private readonly sticky = new Map<string, { partition: number; bytes: number }>();

  constructor(random: Random, stickyBytes: number) {
    this.random = random;
    this.stickyBytes = stickyBytes;
  }

  /** `bytes`: about how large the record is. */
  partitionOf(topic: string, record: ProduceRecord, bytes: number, count: number): number {
    if (record.partition !== undefined) return record.partition;
    if (record.key !== undefined && record.key !== null) return partitionOfKey(record.key, count);
    let sticky = this.sticky.get(topic);
    if (sticky === undefined || sticky.bytes >= this.stickyBytes || sticky.partition >= count) {
      sticky = { partition: this.other(sticky?.partition, count), bytes: 0 };
      this.sticky.set(topic, sticky);
    }
    sticky.bytes += bytes;
    return sticky.partition;
  }

  private other(last: number | undefined, count: number): number {
    if (last === undefined || count === 1) return randomInt(this.random, count);
    const next = randomInt(this.random, count - 1);
    return next >= last ? next + 1 : next;
  }
}
