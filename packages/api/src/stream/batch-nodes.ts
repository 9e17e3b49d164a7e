import { MillraceError } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';
import { DEFAULT_KEY_CODEC, DEFAULT_VALUE_CODEC, shipCodec } from '../kafka/ship-codec.ts';
import type { JobRunner } from '../lineage/job-runner.ts';
import type { PersistedNode, RddNode } from '../lineage/rdd-node.ts';
import { sampleSeed } from '../lineage/sample-seed.ts';
import type { StatefulNode } from '../lineage/stateful-node.ts';
import { StorageLevel } from '../lineage/storage-level.ts';
import { seeded } from '../operator-numbers.ts';
import { RDD } from '../rdd.ts';
import type { FunctionShipper } from '../shipped-function.ts';
import type { BatchTime, DirectKafkaInput, StreamNode } from './stream-node.ts';

type NodeOf<Kind extends StreamNode['kind']> = Extract<StreamNode, { readonly kind: Kind }>;

/** The records of a direct stream in one batch. */
export function kafkaNode(
  { inputId, options, location, skips }: DirectKafkaInput,
  ranges: readonly OffsetRange[],
  ship: FunctionShipper,
): RddNode {
  const { client, groupId, isolation, key, value } = options;
  const source = {
    sourceId: inputId,
    client,
    groupId,
    isolation,
    key: shipCodec(key, DEFAULT_KEY_CODEC, ship),
    value: shipCodec(value, DEFAULT_VALUE_CODEC, ship),
    location,
    ...(skips && { skips }),
  };
  return { kind: 'kafka', source, ranges };
}

/** An operator of a stream on one batch: its lambdas are captured now. */
export function operatorNode(
  { kind, functions, numbers: given, place }: NodeOf<'operator'>['operator'],
  parent: RddNode,
  time: BatchTime,
  ship: FunctionShipper,
): RddNode {
  const shipped = functions.map((f) => ship(f, kind));
  const numbers = kind === 'sample' ? seeded(given, sampleSeed(parent, given[2] ?? 0, time)) : given;
  return { kind: 'operator', parent, operator: { kind, functions: shipped, numbers, place } };
}

/** What transform makes of the RDDs of one batch. @throws MillraceError JOB_INVALID when that is no RDD. */
export async function transformedNode(
  { make, place }: NodeOf<'transform'>,
  rdds: readonly RDD<unknown>[],
  time: BatchTime,
  runner: JobRunner,
): Promise<RddNode> {
  const made: unknown = await make(rdds, time, runner);
  if (made instanceof RDD) return made.node;
  throw new MillraceError('JOB_INVALID', `the function of transform() at ${place} returned no RDD`, {
    remedy: 'Return the RDD that it makes: transform((rdd) => rdd.map(…)).',
    details: { place },
  });
}

/** Worth to be kept: Kafka keeps its records itself, and rows travel with the task. */
export function isCostly({ kind }: RddNode): boolean {
  return kind !== 'kafka' && kind !== 'rows' && kind !== 'persisted';
}

/** Below what is kept of it for windows. */
export function statefulOf(node: RddNode): StatefulNode {
  const below = node.kind === 'persisted' ? node.parent : node;
  if (below.kind === 'stateful') return below;
  throw new MillraceError('INTERNAL', `a ${below.kind} dataset has no state`);
}

export function stateMovedOn(name: string, time: BatchTime, place: string): MillraceError {
  return new MillraceError(
    'BAD_REQUEST',
    `the rows that "${name}" made of batch ${new Date(time).toISOString()} are gone, and its state has moved on`,
    { details: { place } },
  );
}

export function persisted(node: StreamNode, parent: RddNode): PersistedNode {
  const level = node.kind === 'persisted' ? node.level : StorageLevel.MEMORY_AND_DISK;
  const place = 'place' in node ? node.place : node.kind === 'operator' ? node.operator.place : '';
  return { kind: 'persisted', parent, level, place };
}

export function forgotten(from: BatchTime, until: BatchTime): MillraceError {
  return new MillraceError(
    'BAD_REQUEST',
    `slice() from ${new Date(from).toISOString()}: batches until ${new Date(until).toISOString()} are forgotten`,
    { remedy: "Have them remembered: ssc.remember('5m'), say, where the job is defined." },
  );
}
