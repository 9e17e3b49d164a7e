import type { BatchTime, InverseWindowNode, StreamGraph, StreamNode, WindowNode } from './stream-node.ts';
import { type BatchSpan, parentsOf, slideOf, slideTime } from './stream-slides.ts';

type ReachedGraph = Pick<StreamGraph, 'batchIntervalMs' | 'rememberMs' | 'stateful' | 'inverseWindows'> & {
  readonly outputs: ReadonlyArray<{ readonly node: StreamNode }>;
};

/** How far back the streams of a graph reach: what later batches can read of earlier ones. */
export class StreamReach {
  /** ms. The longest windows over one another, or what the job wants to be remembered: at a batch T, batches after T − this are read. */
  readonly horizonMs: number;
  /** As horizonMs, of streams whose state moves on: windows read their rows again. */
  readonly stateHorizonMs: number;
  readonly windows: readonly (WindowNode | InverseWindowNode)[];
  readonly #graph: ReachedGraph;
  /** Whoever reads a stream comes before it. */
  readonly #nodes: readonly StreamNode[];
  readonly #readAgain = new Set<StreamNode>();
  readonly #slides = new Map<StreamNode, number>();
  readonly #stateful = new Map<StreamNode, boolean>();

  constructor(graph: ReachedGraph) {
    this.#graph = graph;
    const computed = computedOf(graph);
    this.#nodes = ordered(computed);
    this.windows = this.#nodes.filter((node) => node.kind === 'window' || node.kind === 'inverse-window');
    const reach = new Map<StreamNode, number>();
    const readers = new Map<StreamNode, number>();
    for (const node of computed) readers.set(node, (readers.get(node) ?? 0) + 1);
    for (const node of this.#nodes) {
      const own = reach.get(node) ?? graph.rememberMs;
      const ofParents = own + reachOf(node);
      for (const parent of parentsOf(node)) {
        reach.set(parent, Math.max(ofParents, reach.get(parent) ?? 0));
        readers.set(parent, (readers.get(parent) ?? 0) + 1);
      }
    }
    for (const node of this.windows) {
      if (reachOf(node) > node.slideMs || (readers.get(node.parent) ?? 0) > 1)
        this.#readAgain.add(node.parent);
      // When the window comes to read them the state has moved on.
      for (const stateful of nearestStateful(node.parent)) this.#readAgain.add(stateful);
    }
    this.horizonMs = Math.max(graph.rememberMs, ...reach.values());
    const stateful = this.#nodes.filter((node) => isStateful(node));
    this.stateHorizonMs = Math.max(0, ...stateful.map((node) => reach.get(node) ?? graph.rememberMs));
  }

  slideOf(node: StreamNode): number {
    const known = this.#slides.get(node) ?? slideOf(node, this.#graph.batchIntervalMs);
    this.#slides.set(node, known);
    return known;
  }

  /** Its rows follow from state: of a batch that is over they cannot be made again by whoever has not the state before it. */
  hasState(node: StreamNode): boolean {
    const known = this.#stateful.get(node);
    if (known !== undefined) return known;
    const has = isStateful(node) || parentsOf(node).some((parent) => this.hasState(parent));
    this.#stateful.set(node, has);
    return has;
  }

  /** A window reads an RDD of this stream that something else reads, too: another window, or the batch itself. */
  isReadAgain(node: StreamNode): boolean {
    return this.#readAgain.has(node);
  }

  /** Input ids of the direct streams that this batch may read: those of windows that do not slide in it are not among them. */
  inputsOf(batch: BatchSpan): ReadonlySet<number> {
    const { batchIntervalMs } = this.#graph;
    const slides = computedOf(this.#graph).filter(
      (node) => slideTime(this.slideOf(node), batchIntervalMs, batch) !== undefined,
    );
    return new Set(
      ordered(slides).flatMap((node) => (node.kind === 'direct-kafka' ? [node.input.inputId] : [])),
    );
  }

  /** When the batch of `time` is over: RDDs of each stream that belong to a later time than this are still needed. */
  keptAfter(time: BatchTime): ReadonlyMap<StreamNode, BatchTime> {
    const from = time - this.#graph.rememberMs;
    const kept = new Map<StreamNode, BatchTime>();
    for (const node of this.#nodes) {
      const own = Math.min(from, kept.get(node) ?? from);
      kept.set(node, own);
      for (const parent of parentsOf(node))
        kept.set(parent, Math.min(kept.get(parent) ?? Number.POSITIVE_INFINITY, neededBy(node, own)));
    }
    return kept;
  }
}

/** What a batch computes: state moves on whether or not an output asks for it. */
function computedOf({ outputs, stateful, inverseWindows }: ReachedGraph): readonly StreamNode[] {
  return [...outputs.map(({ node }) => node), ...stateful, ...inverseWindows];
}

export function isStateful({ kind }: StreamNode): boolean {
  return kind === 'stateful' || kind === 'inverse-window';
}

/** What the rows of a stream follow from, down to the first on each way that keeps state. */
function nearestStateful(stream: StreamNode): readonly StreamNode[] {
  const seen = new Set([stream]);
  // A Set may be added to while it is walked.
  for (const node of seen) if (!isStateful(node)) for (const parent of parentsOf(node)) seen.add(parent);
  return [...seen].filter((node) => isStateful(node));
}

/** How far back one RDD reads its parent's. */
function reachOf(node: StreamNode): number {
  if (node.kind === 'inverse-window') return node.durationMs + node.slideMs;
  return node.kind === 'window' ? node.durationMs : 0;
}

/** Of a stream's parents, when its RDDs after `kept` are needed. */
function neededBy(node: StreamNode, kept: BatchTime): BatchTime {
  if (node.kind !== 'window' && node.kind !== 'inverse-window') return kept;
  return (Math.floor(kept / node.slideMs) + 1) * node.slideMs - reachOf(node);
}

function ordered(outputs: readonly StreamNode[]): readonly StreamNode[] {
  const found: StreamNode[] = [];
  const seen = new Set<StreamNode>();
  const visit = (node: StreamNode): void => {
    if (seen.has(node)) return;
    seen.add(node);
    for (const parent of parentsOf(node)) visit(parent);
    found.push(node);
  };
  for (const node of outputs) visit(node);
  return found.toReversed();
}
