import { emptyResult, type JobRequest, type RddNode, type ShuffleNode } from '@millrace/api/internal';
import { invariant } from '@millrace/common';
import { encodeMapOutput } from '@millrace/proto/task';
import { type DatasetParts, partsOf } from './dataset-parts.ts';
import { rangesBelow } from './ranges-below.ts';
import type { MapStage, Stage, StageId, StageTask, TaskInput } from './stage.ts';
import { isEmptyTask } from './task-input.ts';
import { type LeaderHost, preferenceOf } from './task-preference.ts';

/**
 * Cuts a job into stages at its shuffles, those that others depend on first: the last one is the result stage. A shuffle that is met
 * twice is one map stage; one that no task reads that is asked for is none.
 */
export function buildStages(request: JobRequest, firstId: number, leaderHost: LeaderHost): readonly Stage[] {
  return new StageCutter(firstId, leaderHost).cut(request);
}

class StageCutter {
  readonly #leaderHost: LeaderHost;
  readonly #stages: Stage[] = [];
  readonly #mapStages = new Map<ShuffleNode, StageId>();
  #nextId: number;

  constructor(firstId: number, leaderHost: LeaderHost) {
    this.#nextId = firstId;
    this.#leaderHost = leaderHost;
  }

  cut({ node, action, partitions }: JobRequest): readonly Stage[] {
    const dataset = partsOf(node);
    for (const index of partitions ?? [])
      invariant(index < dataset.parts.length, `task partition ${index} exists`);
    const body = this.#body(node, dataset, emptyResult(action), partitions && new Set(partitions));
    this.#stages.push({ kind: 'result', ...body, action });
    return this.#stages;
  }

  #mapStage(node: ShuffleNode): StageId {
    const known = this.#mapStages.get(node);
    if (known !== undefined) return known;
    const { parent, partitioner } = node;
    const none = Array.from({ length: partitioner.partitions }, () => 0);
    const body = this.#body(parent, partsOf(parent), encodeMapOutput({ sizes: none }));
    this.#stages.push({ kind: 'map', ...body, shuffle: node });
    this.#mapStages.set(node, body.id);
    return body.id;
  }

  #body(
    node: RddNode,
    { pipelines, parts }: DatasetParts,
    empty: Uint8Array | undefined,
    wanted?: ReadonlySet<number>,
  ): Omit<MapStage, 'kind' | 'shuffle'> {
    const tasks: StageTask[] = [];
    const known = new Set<number>();
    const dependencies = new Set<StageId>();
    for (const [partition, { pipeline, input }] of parts.entries()) {
      const chain = pipelines[pipeline];
      if (!chain || wanted?.has(partition) === false) continue;
      // What a shuffle brings is not known yet.
      if (empty !== undefined && isEmptyTask(chain, input, () => false)) {
        known.add(partition);
        continue;
      }
      const read = this.#resolve(input, dependencies);
      const preference = preferenceOf(chain.source, read, this.#leaderHost);
      tasks.push({ partition, pipeline, input: read, preference });
    }
    // After the stages it depends on.
    const id = this.#nextId++ as StageId;
    const ranges = rangesBelow(node);
    return { id, dependencies: [...dependencies], pipelines, ranges, tasks, known, emptyResult: empty };
  }

  /** Map stages come to be as they are met. */
  #resolve(input: TaskInput<ShuffleNode>, dependencies: Set<StageId>): TaskInput {
    switch (input.kind) {
      case 'shuffle': {
        const from = this.#mapStage(input.from);
        dependencies.add(from);
        return { ...input, from };
      }
      case 'merge':
        return { kind: 'merge', inputs: input.inputs.map((child) => this.#resolve(child, dependencies)) };
      default:
        return input;
    }
  }
}
