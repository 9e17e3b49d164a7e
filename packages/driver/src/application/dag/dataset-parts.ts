import {
  type CoalescedNode,
  type MergeNode,
  type OperatorCall,
  type PersistedNode,
  partitionCount,
  type RddNode,
  rebased,
  type StoredNode,
} from '@millrace/api/internal';
import { assertNever, invariant, MillraceError } from '@millrace/common';
import type { Pipeline, PipelineSource, TaskInput } from './stage.ts';

/** One task partition. */
export interface DatasetPart {
  /** Index in the pipelines. */
  readonly pipeline: number;
  readonly input: TaskInput<StoredNode>;
}

/** A dataset down to its sources and the nearest stored datasets. */
export interface DatasetParts {
  readonly pipelines: readonly Pipeline[];
  /** In task partition order. */
  readonly parts: readonly DatasetPart[];
}

/** Whether a persisted dataset is computed as if it were not. */
type IsReleased = (node: PersistedNode) => boolean;

/** `above`: operators on top of `node`, the first to run first. */
export function partsOf(
  node: RddNode,
  isReleased: IsReleased,
  above: readonly OperatorCall[] = [],
): DatasetParts {
  switch (node.kind) {
    case 'kafka':
      return chainOf(
        { source: { kind: 'kafka', info: node.source }, operators: above },
        node.ranges.map((range) => ({ kind: 'range', range })),
      );
    case 'rows':
      return chainOf(
        { source: { kind: 'rows' }, operators: above },
        node.partitions.map((rows) => ({ kind: 'rows', rows })),
      );
    case 'operator':
      return partsOf(node.parent, isReleased, [node.operator, ...above]);
    case 'union':
      return unionOf(
        node.parents.map((parent) => partsOf(parent, isReleased)),
        above,
      );
    case 'shuffle':
      return chainOf(
        { source: { kind: 'shuffle' }, operators: above },
        Array.from({ length: node.partitioner.partitions }, (_, bucket) => ({
          kind: 'shuffle',
          from: node,
          bucket,
        })),
      );
    case 'persisted':
      if (isReleased(node)) return partsOf(node.parent, isReleased, above);
      return chainOf(
        { source: { kind: 'stored' }, operators: above },
        Array.from({ length: partitionCount(node) }, (_, mapPartition) => ({
          kind: 'stored',
          from: node,
          mapPartition,
          bucket: 0,
        })),
      );
    case 'stateful':
      return chainOf({ source: { kind: 'stored' }, operators: above }, bucketsOf(node, 0));
    case 'stateSnapshots':
      return chainOf({ source: { kind: 'stored' }, operators: above }, bucketsOf(node.of, 1));
    case 'coalesced':
      return coalescedOf(node, partsOf(node.parent, isReleased), above);
    case 'merge':
      return mergeOf(
        node,
        node.parents.map((parent) => partsOf(parent, isReleased)),
        above,
      );
    case 'cut':
      throw new MillraceError('INTERNAL', `what ${node.file} was made of is not computed again`);
    default:
      return assertNever(node, 'kind of dataset');
  }
}

/** A bucket of each map task. */
function bucketsOf(from: StoredNode, bucket: number): ReadonlyArray<TaskInput<StoredNode>> {
  return Array.from({ length: partitionCount(from) }, (_, mapPartition) => ({
    kind: 'stored',
    from,
    mapPartition,
    bucket,
  }));
}

function chainOf(pipeline: Pipeline, inputs: ReadonlyArray<TaskInput<StoredNode>>): DatasetParts {
  return { pipelines: [pipeline], parts: inputs.map((input) => ({ pipeline: 0, input })) };
}

/** Below it a partition has its index in its parent, above it that in the union. */
function unionOf(parents: readonly DatasetParts[], above: readonly OperatorCall[]): DatasetParts {
  const pipelines: Pipeline[] = [];
  const parts: DatasetPart[] = [];
  for (const parent of parents) {
    const below = parent.pipelines.map((pipeline) => rebasedPipeline(pipeline, parts.length));
    for (const { pipeline, input } of parent.parts)
      parts.push({ pipeline: pipelines.length + pipeline, input });
    for (const { source, operators } of below)
      pipelines.push({ source, operators: [...operators, ...above] });
  }
  return { pipelines, parts };
}

function rebasedPipeline({ source, operators }: Pipeline, base: number): Pipeline {
  return {
    source:
      source.kind === 'merge'
        ? { ...source, children: source.children.map((child) => rebasedPipeline(child, base)) }
        : source,
    operators: operators.map((operator) => rebased(operator, base)),
  };
}

/** Some of its operators see the index of their partition. */
function isIndexed({ source, operators }: Pipeline): boolean {
  if (source.kind === 'merge' && source.children.some(isIndexed)) return true;
  return operators.some((operator) => rebased(operator, 1) !== operator);
}

/** One merge reads all groups; each input says by which chain. Chains that see the index of their partition are one a shift. */
function coalescedOf(
  { groups, place }: CoalescedNode,
  dataset: DatasetParts,
  above: readonly OperatorCall[],
): DatasetParts {
  const chains: Pipeline[] = [];
  const known = new Map<string, number>();
  const childFor = (pipeline: number, shift: number): number => {
    const chain = dataset.pipelines[pipeline] as Pipeline;
    const base = isIndexed(chain) ? shift : 0;
    const name = `${pipeline}+${base}`;
    const child = known.get(name) ?? chains.push(rebasedPipeline(chain, base)) - 1;
    known.set(name, child);
    return child;
  };
  const inputs = groups.map((group, partition): TaskInput<StoredNode> => {
    const parts = group.map((index) => dataset.parts[index] as DatasetPart);
    const children = parts.map(({ pipeline }, at) => childFor(pipeline, partition - (group[at] as number)));
    return { kind: 'merge', inputs: parts.map(({ input }) => input), children };
  });
  return chainOf(
    { source: { kind: 'merge', how: 'concat', children: chains, place }, operators: above },
    inputs,
  );
}

/** A part of a parent, and its index there. */
interface ChildPart extends DatasetPart {
  readonly index: number;
}

/**
 * A parent that is a union has several pipelines: each combination that occurs is a pipeline of the merge. So is, in a cartesian product,
 * each shift of a parent whose operators see the index of their partition.
 */
function mergeOf(
  { how, place }: MergeNode,
  datasets: readonly DatasetParts[],
  above: readonly OperatorCall[],
): DatasetParts {
  const pipelines: Pipeline[] = [];
  const known = new Map<string, number>();
  const pipelineOf = (children: readonly ChildPart[], partition: number): number => {
    const chosen = children.map(({ pipeline, index }, at) => {
      const chain = datasets[at]?.pipelines[pipeline] as Pipeline;
      const base = isIndexed(chain) ? partition - index : 0;
      return { chain, base, name: `${pipeline}+${base}` };
    });
    const name = chosen.map((child) => child.name).join();
    let found = known.get(name);
    if (found === undefined) {
      const chains = chosen.map(({ chain, base }) => rebasedPipeline(chain, base));
      const source: PipelineSource = { kind: 'merge', how, children: chains, place };
      found = pipelines.push({ source, operators: above }) - 1;
      known.set(name, found);
    }
    return found;
  };
  const all = datasets.map(({ parts }) => parts.map((part, index) => ({ ...part, index })));
  const tuples = how === 'cartesian' ? product(all) : sideBySide(all, how);
  const parts = tuples.map((children, partition) => ({
    pipeline: pipelineOf(children, partition),
    input: { kind: 'merge' as const, inputs: children.map(({ input }) => input) },
  }));
  return { pipelines, parts };
}

/** The last one is the fastest. */
function product(all: ReadonlyArray<readonly ChildPart[]>): ReadonlyArray<readonly ChildPart[]> {
  return all.reduce<ReadonlyArray<readonly ChildPart[]>>(
    (tuples, parts) => tuples.flatMap((tuple) => parts.map((part) => [...tuple, part])),
    [[]],
  );
}

function sideBySide(
  all: ReadonlyArray<readonly ChildPart[]>,
  how: string,
): ReadonlyArray<readonly ChildPart[]> {
  const [first = []] = all;
  return first.map((_, index) =>
    all.map((parts) => {
      const part = parts[index];
      invariant(
        part !== undefined && parts.length === first.length,
        `the parents of a ${how} have as many partitions`,
      );
      return part;
    }),
  );
}
