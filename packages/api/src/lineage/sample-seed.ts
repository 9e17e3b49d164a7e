import { hash } from 'node:crypto';
import { isCheckpoint, offsetRangesOf, type RddNode } from './rdd-node.ts';

/**
 * What a sample of a dataset draws from: the same whenever, and in whatever job or batch, the dataset is computed; another one for other
 * offset ranges, another batch (`time`, of a stream), and for a sample of a sample.
 */
export function sampleSeed(parent: RddNode, seed: number, time?: number): number {
  const ranges = offsetRangesOf(parent).map(({ topic, partition, fromOffset, untilOffset }) => [
    topic,
    partition,
    fromOffset,
    untilOffset,
  ]);
  const text = JSON.stringify([seed, time, samplesBelow(parent), ranges]);
  return Buffer.from(hash('sha256', text, 'buffer')).readUInt32LE();
}

function samplesBelow(parent: RddNode): number {
  let samples = 0;
  // What is below a checkpoint is forgotten one day.
  let node = parent;
  while (node.kind === 'operator' || (node.kind === 'persisted' && !isCheckpoint(node))) {
    if (node.kind === 'operator' && node.operator.kind === 'sample') samples++;
    node = node.parent;
  }
  return samples;
}
