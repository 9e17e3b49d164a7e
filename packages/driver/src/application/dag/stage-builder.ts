import {
  type ActionCall,
  bucketCount,
  emptyResult,
  type JobRequest,
  type PersistedNode,
  partitionCount,
  type RddNode,
  type StoredNode,
} from '@millrace/api/internal';
import { invariant } from '@millrace/common';
import { encodeMapOutput } from '@millrace/proto/task';
import { type DatasetParts, partsOf } from './dataset-parts.ts';
import { rangesBelow } from './ranges-below.ts';
import type { MapStage, Stage, StageId, StageTask, TaskInput } from './stage.ts';
import { runsAlways, statePreference } from './state-tasks.ts';
import { isEmptyTask, storedInputs } from './task-input.ts';
import { type LeaderHost, preferenceOf } from './task-preference.ts';

/** What is there already of persisted datasets: it need not be planned. */
export interface HeldDatasets {
  isHeld(node: PersistedNode, mapPartition: number): boolean;
  /** It is computed as if it were not persisted. */
  isReleased(node: PersistedNode): boolean;
}

const NOTHING_HELD: HeldDatasets = { isHeld: () => false, isReleased: () => false };

/** See StagePlanner. */
export function buildStages(request: JobRequest, firstId: number, leaderHost: LeaderHost): readonly Stage[] {
  let next = firstId;
  return new StagePlanner({ nextId: () => next++, leaderHost }).cut(request);
}

/** What is known of a map stage before it is built. */
interface Draft {
  readonly node: StoredNode;
  /** Map partitions that tasks read, or all. */
  readonly wanted: Set<number>;
  /** Those of them that get a task. */
  readonly computed: Set<number>;
  parts: DatasetParts | undefined;
  /** As it was built last. */
  stage: MapStage | undefined;
  hasGrown: boolean;
}

/**
 * Cuts a job into stages at its stored datasets, those that others depend on first: the last one is the result stage. A dataset that is met
 * twice is one map stage; one that no task reads that is asked for is none. Of a persisted dataset only those partitions are computed that
 * are read, and what is held already has neither tasks nor stages below.
 */
export class StagePlanner {
  readonly #nextId: () => number;
  readonly #leaderHost: LeaderHost;
  readonly #held: HeldDatasets;
  readonly #drafts = new Map<StoredNode, Draft>();
  #built: Stage[] = [];

  constructor(options: {
    readonly nextId: () => number;
    readonly leaderHost: LeaderHost;
    readonly held?: HeldDatasets;
  }) {
    this.#nextId = options.nextId;
    this.#leaderHost = options.leaderHost;
    this.#held = options.held ?? NOTHING_HELD;
  }

  /** The stages of the job; once. */
  cut({ node, action, partitions }: JobRequest): readonly Stage[] {
    const dataset = this.#partsOf(node);
    for (const index of partitions ?? [])
      invariant(index < dataset.parts.length, `task partition ${index} exists`);
    const empty = emptyResult(action);
    const wanted = new Set(partitions ?? dataset.parts.keys());
    this.#demand(dataset, wanted, empty !== undefined);
    const body = this.#body(node, dataset, wanted, empty);
    this.#built.push({ kind: 'result', ...body, action });
    return this.#takeBuilt();
  }

  /** The stages that store this dataset, and nothing else; once. */
  store(node: StoredNode): readonly Stage[] {
    if (node.kind === 'persisted') this.#wantEach(node);
    else this.#wantAll(node);
    const dependencies = [this.#stageOf(this.#drafts.get(node) as Draft)];
    const id = this.#nextId() as StageId;
    const action: ActionCall = { kind: 'count', functions: [], numbers: [], place: node.place };
    const nothing = {
      pipelines: [],
      ranges: [],
      tasks: [],
      known: new Set<number>(),
      emptyResult: undefined,
    };
    this.#built.push({ kind: 'result', id, dependencies, ...nothing, action });
    return this.#takeBuilt();
  }

  /** Map partitions of the stage that were held are to be computed after all. Stages that are new, or the same with more tasks. */
  grow(node: StoredNode, mapPartitions: Iterable<number>): readonly Stage[] {
    const draft = this.#drafts.get(node);
    invariant(draft !== undefined, 'a stage that grows was planned');
    this.#compute(draft, mapPartitions);
    this.#stageOf(draft);
    return this.#takeBuilt();
  }

  #takeBuilt(): readonly Stage[] {
    const built = this.#built;
    this.#built = [];
    return built;
  }

  #partsOf(node: RddNode): DatasetParts {
    return partsOf(node, (persisted) => this.#held.isReleased(persisted));
  }

  /** Finds what these partitions read. Before a stage is built all is known that is wanted of it. */
  #demand({ pipelines, parts }: DatasetParts, partitions: Iterable<number>, mayBeKnown: boolean): void {
    for (const partition of partitions) {
      const { pipeline, input } = parts[partition] as DatasetParts['parts'][number];
      const chain = pipelines[pipeline];
      if (mayBeKnown && chain && isEmptyTask(chain, input, () => false)) continue;
      for (const read of storedInputs(input)) {
        if (read.kind !== 'stored' || read.from.kind !== 'persisted') this.#wantAll(read.from);
        else if (read.from.checkpoint) this.#wantEach(read.from);
        else this.#want(read.from, read.mapPartition);
      }
    }
  }

  #want(node: PersistedNode, mapPartition: number): void {
    const draft = this.#drafts.get(node) ?? this.#draft(node);
    if (draft.wanted.has(mapPartition)) return;
    draft.wanted.add(mapPartition);
    if (!this.#held.isHeld(node, mapPartition)) this.#compute(draft, [mapPartition]);
  }

  /** All that is not held: a checkpoint is made as a whole. */
  #wantEach(node: PersistedNode): void {
    const partitions = partitionCount(node);
    if (this.#drafts.get(node)?.wanted.size === partitions) return;
    for (let partition = 0; partition < partitions; partition++) this.#want(node, partition);
  }

  #wantAll(node: StoredNode): void {
    if (this.#drafts.has(node)) return;
    const draft = this.#draft(node);
    draft.parts = this.#partsOf(node.parent);
    for (const partition of draft.parts.parts.keys()) draft.wanted.add(partition);
    this.#compute(draft, draft.wanted);
  }

  #draft(node: StoredNode): Draft {
    const draft: Draft = {
      node,
      wanted: new Set(),
      computed: new Set(),
      parts: undefined,
      stage: undefined,
      hasGrown: false,
    };
    this.#drafts.set(node, draft);
    return draft;
  }

  #compute(draft: Draft, mapPartitions: Iterable<number>): void {
    draft.parts ??= this.#partsOf(draft.node.parent);
    const fresh = [...mapPartitions].filter((partition) => !draft.computed.has(partition));
    if (fresh.length === 0) return;
    for (const partition of fresh) draft.computed.add(partition);
    draft.hasGrown = true;
    this.#demand(draft.parts, fresh, true);
  }

  #stageOf(draft: Draft): StageId {
    const { node, parts, computed, wanted } = draft;
    if (draft.stage && !draft.hasGrown) return draft.stage.id;
    draft.hasGrown = false;
    const none = Array.from({ length: bucketCount(node) }, () => 0);
    const empty = encodeMapOutput({ sizes: none });
    const body = this.#body(node.parent, parts, computed, empty, draft);
    draft.stage = { kind: 'map', ...body, stored: node, wanted };
    this.#built.push(draft.stage);
    return body.id;
  }

  #body(
    node: RddNode,
    dataset: DatasetParts | undefined,
    wanted: ReadonlySet<number>,
    empty: Uint8Array | undefined,
    draft?: Draft,
  ): Omit<MapStage, 'kind' | 'stored' | 'wanted'> {
    const { pipelines, parts } = dataset ?? { pipelines: [], parts: [] };
    const tasks: StageTask[] = [];
    const knownEmpty = new Set<number>();
    const dependencies = new Set<StageId>();
    for (const [partition, { pipeline, input }] of parts.entries()) {
      const chain = pipelines[pipeline];
      if (!chain || !wanted.has(partition)) continue;
      // What map tasks leave is not known yet.
      const state = draft?.node.kind === 'stateful' ? draft.node.call : undefined;
      const always = state && runsAlways(state, partition);
      if (empty !== undefined && always !== true && isEmptyTask(chain, input, () => false)) {
        knownEmpty.add(partition);
        continue;
      }
      const read = this.#resolve(input, dependencies);
      const preference = state
        ? statePreference(state, partition)
        : preferenceOf(chain.source, read, this.#leaderHost);
      tasks.push({ partition, pipeline, input: read, preference, ...(always && { always }) });
    }
    // After the stages it depends on.
    const id = draft?.stage?.id ?? (this.#nextId() as StageId);
    const ranges = dataset ? rangesBelow(node) : [];
    return {
      id,
      dependencies: [...dependencies],
      pipelines,
      ranges,
      tasks,
      known: knownEmpty,
      emptyResult: empty,
    };
  }

  #resolve(input: TaskInput<StoredNode>, dependencies: Set<StageId>): TaskInput {
    switch (input.kind) {
      case 'shuffle':
      case 'stored': {
        const draft = this.#drafts.get(input.from);
        invariant(draft !== undefined, 'what a task reads was found before');
        const from = this.#stageOf(draft);
        dependencies.add(from);
        return { ...input, from };
      }
      case 'merge':
        return { ...input, inputs: input.inputs.map((child) => this.#resolve(child, dependencies)) };
      default:
        return input;
    }
  }
}
