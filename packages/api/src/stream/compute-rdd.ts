import { hash } from 'node:crypto';
import { MillraceError } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';
import type { JobRunner } from '../lineage/job-runner.ts';
import type { PersistedNode, RddNode } from '../lineage/rdd-node.ts';
import { ShufflePlan } from '../rdd/shuffle-plan.ts';
import { RDD } from '../rdd.ts';
import { KEYED_SHAPE, statefulRdd, windowStateRdd } from '../state/stateful-rdd.ts';
import {
  forgotten,
  isCostly,
  kafkaNode,
  operatorNode,
  persisted,
  statefulOf,
  stateMovedOn,
  transformedNode,
} from './batch-nodes.ts';
import type {
  BatchTime,
  InverseWindowNode,
  QueueNode,
  StatefulStreamNode,
  StreamGraph,
  StreamNode,
  WindowNode,
} from './stream-node.ts';
import { isStateful, StreamReach } from './stream-reach.ts';
import { type BatchSpan, parentsOf, slideEnd, slideTime } from './stream-slides.ts';
import { windowed } from './window-rdd.ts';

/** One batch, as the graph sees it. */
export interface BatchInput extends BatchSpan {
  /** Planned ranges of an input, in partition order. */
  ranges(inputId: number): readonly OffsetRange[];
  /** Some of its ranges are not there any more. */
  readonly isPartial?: boolean;
}

export interface BatchRddsOptions {
  readonly graph: StreamGraph;
  readonly runner: JobRunner;
  /** Batches before the first one, oldest first: as many as windows reach back to. */
  readonly history?: readonly BatchInput[];
  /** Identity of the job's code: what another one kept of a window is not taken on, as it may have made other rows of the same records. */
  readonly program?: string;
}

interface HeldBatch {
  readonly input: BatchInput;
  readonly queued: ReadonlyMap<QueueNode, RddNode>;
}

interface MadeRdd {
  /** See `slideTime`. */
  readonly time: BatchTime;
  readonly node: Promise<RddNode>;
  /** What is to be released. */
  kept?: PersistedNode;
}

/**
 * Makes the RDDs of a job's streams, batch by batch: lambdas are captured, and `transform` runs, when a batch first asks for an RDD, once however
 * many outputs or windows stand on it. A window makes those of earlier batches from their ranges, and what it will read again is persisted.
 */
export class BatchRdds {
  readonly reach: StreamReach;
  readonly #graph: StreamGraph;
  readonly #runner: JobRunner;
  readonly #program: string;
  /** Oldest first; the running one last. */
  #batches: HeldBatch[];
  #running: HeldBatch | undefined;
  #forgottenUntil = Number.NEGATIVE_INFINITY;
  readonly #made = new Map<StreamNode, Map<BatchTime, MadeRdd>>();

  constructor({ graph, runner, history = [], program = '' }: BatchRddsOptions) {
    this.#graph = graph;
    this.#runner = runner;
    this.#program = program;
    this.reach = new StreamReach(graph);
    this.#batches = history.map((input) => ({ input, queued: new Map() }));
    this.#forget(history[0]?.previous);
  }

  /** The last batch time whose batch cannot be read any more; −Infinity: there is none. */
  get forgottenUntil(): BatchTime {
    return this.#forgottenUntil;
  }

  /** Hash of what the running batch reads: of its ranges, whatever program reads them. */
  get planHash(): string {
    const { input } = this.#mustRun();
    const plan = this.#graph.inputs.map(({ inputId }) =>
      input
        .ranges(inputId)
        .map(({ topic, partition, fromOffset, untilOffset }) =>
          [inputId, topic, partition, fromOffset, untilOffset].join(' '),
        ),
    );
    return hash('sha256', JSON.stringify([input.time, plan.flat()]), 'hex').slice(0, 32);
  }

  begin(input: BatchInput): void {
    if (this.#batches.length === 0) this.#forget(input.previous);
    const queued = this.#graph.queues.map((queue) => [queue, queue.next()] as const);
    this.#running = { input, queued: new Map(queued) };
    this.#batches.push(this.#running);
  }

  /** Of the running batch; undefined: the stream has none in it. */
  async rdd(node: StreamNode): Promise<RDD<unknown> | undefined> {
    const batch = this.#mustRun();
    return this.#timeIn(node, batch) === undefined ? undefined : this.#rdd(node, batch);
  }

  /**
   * The RDDs of a stream that belong to times in [from, to], oldest first.
   * @throws MillraceError BAD_REQUEST when some of these batches have been forgotten, or no batch runs.
   */
  async slice(node: StreamNode, from: BatchTime, to: BatchTime): Promise<readonly RDD<unknown>[]> {
    this.#mustRun();
    const { horizonMs } = new StreamReach({
      batchIntervalMs: this.#graph.batchIntervalMs,
      rememberMs: 0,
      outputs: [{ node }],
      stateful: [],
      inverseWindows: [],
    });
    // A window at `from` does not reach to the very `from` − its duration.
    const first = horizonMs > 0 ? from - horizonMs + 1 : from;
    if (first <= this.#forgottenUntil) throw forgotten(from, this.#forgottenUntil);
    const rdds: RDD<unknown>[] = [];
    for (const batch of this.#batches) {
      const time = this.#timeIn(node, batch);
      if (time !== undefined && time >= from && time <= to) rdds.push(await this.#rdd(node, batch));
    }
    return rdds;
  }

  /** The running batch is committed: what no later one needs is released. */
  end(): void {
    const { time } = this.#mustRun().input;
    this.#running = undefined;
    const kept = this.reach.keptAfter(time);
    const from = time - this.#graph.rememberMs;
    for (const [node, made] of this.#made) this.#drop(made, kept.get(node) ?? from);
    const oldest = Math.min(from, ...kept.values());
    const held = this.#batches.findIndex(({ input }) => input.time > oldest);
    const gone = this.#batches.splice(0, held === -1 ? this.#batches.length : held);
    this.#forget(gone.at(-1)?.input.time);
  }

  #drop(made: Map<BatchTime, MadeRdd>, until: BatchTime): void {
    for (const [batchTime, { time, kept }] of made) {
      if (time > until) continue;
      made.delete(batchTime);
      if (kept) this.#runner.release(kept);
    }
  }

  #forget(time: BatchTime | undefined): void {
    this.#forgottenUntil = Math.max(this.#forgottenUntil, time ?? Number.NEGATIVE_INFINITY);
  }

  #mustRun(): HeldBatch {
    if (this.#running) return this.#running;
    throw new MillraceError('BAD_REQUEST', 'a stream was asked for its RDDs when no batch runs', {
      remedy: 'Call slice() in foreachRDD or transform, and await it there.',
    });
  }

  #timeIn(node: StreamNode, { input }: HeldBatch): BatchTime | undefined {
    return slideTime(this.reach.slideOf(node), this.#graph.batchIntervalMs, input);
  }

  async #rdd(node: StreamNode, batch: HeldBatch): Promise<RDD<unknown>> {
    return new RDD<unknown>(await this.#node(node, batch), this.#runner);
  }

  #node(node: StreamNode, batch: HeldBatch): Promise<RddNode> {
    const batches = this.#made.get(node) ?? new Map<BatchTime, MadeRdd>();
    this.#made.set(node, batches);
    const { time } = batch.input;
    const known = batches.get(time);
    if (known) return known.node;
    const made: MadeRdd = {
      time: this.#timeIn(node, batch) ?? time,
      node: this.#make(node, batch).then((rdd) => {
        const isKept = node.kind === 'persisted' || (this.reach.isReadAgain(node) && isCostly(rdd));
        if (!isKept) return rdd;
        made.kept = persisted(node, rdd);
        return made.kept;
      }),
    };
    batches.set(time, made);
    return made.node;
  }

  async #make(node: StreamNode, batch: HeldBatch): Promise<RddNode> {
    const { ship } = this.#runner;
    switch (node.kind) {
      case 'refused':
        throw new MillraceError('INTERNAL', 'a job whose stream was refused has started');
      case 'direct-kafka':
        return kafkaNode(node.input, batch.input.ranges(node.input.inputId), ship);
      case 'queue':
        return batch.queued.get(node) ?? { kind: 'rows', partitions: [] };
      case 'operator':
        return operatorNode(node.operator, await this.#node(node.parent, batch), batch.input.time, ship);
      case 'union':
        return {
          kind: 'union',
          parents: await Promise.all(node.parents.map((parent) => this.#node(parent, batch))),
        };
      case 'persisted':
        return this.#node(node.parent, batch);
      case 'stateful':
        return this.#stateful(node, batch);
      case 'state-snapshots':
        return { kind: 'stateSnapshots', of: statefulOf(await this.#node(node.parent, batch)) };
      case 'window':
        return this.#window(node, batch);
      case 'inverse-window':
        return this.#inverseWindow(node, batch);
      case 'transform': {
        const rdds = await Promise.all(node.parents.map((parent) => this.#rdd(parent, batch)));
        return transformedNode(node, rdds, batch.input.time, this.#runner);
      }
    }
  }

  async #stateful(node: StatefulStreamNode, batch: HeldBatch): Promise<RddNode> {
    const parent = await this.#node(node.parent, batch);
    const { name } = node.operator;
    if (batch !== this.#running) throw stateMovedOn(name, batch.input.time, node.place);
    const kept = this.#runner.stateOf(name);
    return statefulRdd(node, parent, batch.input.time, this.#runner, {
      kept: kept?.shape === KEYED_SHAPE ? kept : undefined,
      program: this.#program,
    });
  }

  /** Not so of a batch before this start when it follows from state: its rows are gone, and the state has moved on. */
  #isMakeable(node: StreamNode, batch: HeldBatch): boolean {
    if (batch === this.#running || !this.reach.hasState(node)) return true;
    if (this.#made.get(node)?.has(batch.input.time) === true) return true;
    // A window leaves out what it does not find.
    if (node.kind === 'window') return true;
    return !isStateful(node) && parentsOf(node).every((parent) => this.#isMakeable(parent, batch));
  }

  async #window(node: WindowNode, batch: HeldBatch): Promise<RddNode> {
    const end = this.#timeIn(node, batch) ?? batch.input.time;
    return windowed(await this.#nodesIn(node.parent, end - node.durationMs, end), node.place);
  }

  /** From the window before, when its state and the batches that left it since are there; else from its own batches. */
  async #inverseWindow(node: InverseWindowNode, batch: HeldBatch): Promise<RddNode> {
    const { parent, durationMs, slideMs, operator, reduce, inverse, place } = node;
    const { name, partitions } = operator;
    const { time } = batch.input;
    if (batch !== this.#running) throw stateMovedOn(name, time, place);
    // With another batch interval late batches may belong to other windows.
    const shape = `window/${durationMs}/${slideMs}/${this.#graph.batchIntervalMs}/${this.#program}`;
    const end = this.#timeIn(node, batch) ?? time;
    const state = this.#runner.stateOf(name);
    const before =
      state?.shape === shape ? slideEnd(slideMs, this.#graph.batchIntervalMs, state.batchTime) : 0;
    const goesOn = before > end - durationMs && this.#isComplete(parent, before - durationMs);
    const window = {
      name,
      shape,
      left: goesOn ? await this.#nodesIn(parent, before - durationMs, end - durationMs) : [],
      entered: await this.#nodesIn(parent, goesOn ? before : end - durationMs, end),
      reduce,
      inverse,
      partitions,
      kept: goesOn ? state : undefined,
      batchTime: time,
      program: this.#program,
    };
    return windowStateRdd(window, new ShufflePlan(place, this.#runner.ship));
  }

  /** All RDDs of the stream that belong to later times than this are there. */
  #isComplete(node: StreamNode, after: BatchTime): boolean {
    if (this.#forgottenUntil > after) return false;
    return this.#batches.every((batch) => {
      const time = this.#timeIn(node, batch);
      if (time === undefined || time <= after) return true;
      return batch.input.isPartial !== true && this.#isMakeable(node, batch);
    });
  }

  /** Those that belong to times in (after, until], oldest first. */
  async #nodesIn(node: StreamNode, after: BatchTime, until: BatchTime): Promise<readonly RddNode[]> {
    const nodes: RddNode[] = [];
    for (const batch of this.#batches) {
      const time = this.#timeIn(node, batch);
      if (time === undefined || time <= after || time > until || !this.#isMakeable(node, batch)) continue;
      // In the order of time: transform may be anything.
      nodes.push(await this.#node(node, batch));
    }
    return nodes;
  }
}
