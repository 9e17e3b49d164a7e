import { describe, expect, it } from '@jest/globals';
import type { StateCall } from '@millrace/api/internal';
import { silentLogger } from '@millrace/common';
import { encodeStateSection } from '@millrace/proto/task';
import { MemoryStateFiles } from '../testing/memory-state-files.ts';
import { type LoggedStates, NO_STATE, statesAfter } from './logged-state.ts';
import { StateKeeper } from './state-keeper.ts';

/** A keeper, and a log that it is committed to. */
class World {
  readonly files = new MemoryStateFiles();
  states: LoggedStates = NO_STATE;
  epoch = 0;
  #batchTime = 0;
  #version = 0;

  start(
    options: {
      readonly used?: readonly string[];
      readonly dropped?: readonly string[];
      readonly horizonMs?: number;
    } = {},
  ) {
    const { used = ['totals'], dropped = [], horizonMs = 0 } = options;
    return StateKeeper.open({
      files: this.files,
      epoch: ++this.epoch,
      logger: silentLogger,
      states: this.states,
      used: new Set(used),
      dropped,
      horizonMs,
    });
  }

  begin(keeper: StateKeeper, time: number): void {
    this.#batchTime = time;
    keeper.beginBatch(time);
  }

  call(keeper: StateKeeper, partitions = 2): StateCall {
    return {
      name: 'totals',
      mode: 'map',
      shape: 'keyed',
      partitioner: { kind: 'hash', partitions },
      layout: `hash/${partitions}`,
      functions: [],
      valueVersion: 0,
      batchTime: this.#batchTime,
      snapshots: false,
      initial: false,
      kept: keeper.stateOf('totals'),
    };
  }

  section(
    call: StateCall,
    partition: number,
    kind: 'snapshot' | 'delta',
    batchTime: number,
    bytes = 8,
  ): Buffer {
    const previous = call.kept?.heads[partition];
    return encodeStateSection(
      {
        application: 'a',
        operator: 'totals',
        partition,
        layout: 'hash/2',
        valueVersion: 0,
        kind,
        version: `v${this.#version++}`,
        ...(previous && { previous }),
        epoch: this.epoch,
        batchTime,
        keys: 1,
        changed: 1,
        removed: 0,
      },
      [Buffer.alloc(bytes)],
    );
  }

  async batch(
    keeper: StateKeeper,
    time: number,
    kinds: ReadonlyArray<'snapshot' | 'delta' | undefined>,
  ): Promise<void> {
    this.begin(keeper, time);
    const call = this.call(keeper);
    for (const [partition, kind] of kinds.entries())
      keeper.add(call, partition, kind && this.section(call, partition, kind, time));
    const changes = await keeper.seal();
    if (changes) this.states = statesAfter(this.states, changes, time);
    keeper.committed(this.states);
  }
}

describe('the files of keyed state', () => {
  it('are one a batch, synced before they are named, and go when nothing of them is part of the state', async () => {
    const world = new World();
    const keeper = world.start();
    await world.batch(keeper, 1, ['snapshot', 'snapshot']);
    await world.batch(keeper, 2, ['delta', undefined]);
    await world.batch(keeper, 3, [undefined, 'delta']);
    expect([...world.files.contents.keys()]).toEqual([
      '00000001-1.state',
      '00000001-2.state',
      '00000001-3.state',
    ]);
    expect(world.files.unsynced).toEqual([]);
    await world.batch(keeper, 4, ['snapshot', undefined]);
    // The first one has a snapshot that the other partition stands on still.
    expect([...world.files.contents.keys()]).toEqual([
      '00000001-1.state',
      '00000001-3.state',
      '00000001-4.state',
    ]);
    await world.batch(keeper, 5, [undefined, 'snapshot']);
    expect([...world.files.contents.keys()]).toEqual(['00000001-4.state', '00000001-5.state']);
    await world.batch(keeper, 6, [undefined, undefined]);
    expect(world.files.contents.size).toBe(2);
  });

  it('wait for the batches that may run again', async () => {
    const world = new World();
    const keeper = world.start({ horizonMs: 2 });
    for (const time of [1, 2, 3, 4]) await world.batch(keeper, time, ['snapshot', undefined]);
    expect([...world.files.contents.keys()]).toEqual([
      '00000001-2.state',
      '00000001-3.state',
      '00000001-4.state',
    ]);
  });

  it('that no commit names are removed by the next start; those of a newer epoch are not', async () => {
    const world = new World();
    const keeper = world.start();
    await world.batch(keeper, 1, ['snapshot', undefined]);
    world.begin(keeper, 2);
    keeper.add(world.call(keeper), 0, world.section(world.call(keeper), 0, 'delta', 2));
    world.files.contents.set('00000009-7.state', Buffer.from('x'));
    world.files.contents.set('notes.txt', Buffer.from('x'));
    world.start();
    expect([...world.files.contents.keys()]).toEqual(['00000001-1.state', '00000009-7.state', 'notes.txt']);
  });

  it('hold what the last attempt of a task said, and nothing of tasks of earlier batches', async () => {
    const world = new World();
    const keeper = world.start();
    await world.batch(keeper, 1, ['snapshot', 'snapshot']);
    const past = world.call(keeper);
    await world.batch(keeper, 2, ['delta', undefined]);
    world.begin(keeper, 3);
    const call = world.call(keeper);
    keeper.add(call, 0, world.section(call, 0, 'delta', 3, 8));
    keeper.add(call, 0, world.section(call, 0, 'delta', 3, 16));
    keeper.add(past, 1, world.section(past, 1, 'delta', 1));
    const changes = await keeper.seal();
    expect(changes?.operators[0]?.heads.map(({ partition, head }) => [partition, head.version])).toEqual([
      [0, 'v4'],
    ]);
    // It ran again, and changed nothing this time.
    keeper.add(call, 0, undefined);
    expect((await keeper.seal())?.operators[0]?.heads).toEqual([]);
  });

  it('begin anew when a batch does not stand on what there is, as a window after a gap', async () => {
    const world = new World();
    const keeper = world.start();
    await world.batch(keeper, 1, ['snapshot', 'snapshot']);
    world.begin(keeper, 9);
    const call = { ...world.call(keeper), kept: undefined };
    keeper.add(call, 0, world.section(call, 0, 'snapshot', 9));
    world.states = statesAfter(world.states, (await keeper.seal()) ?? { operators: [], dropped: [] }, 9);
    keeper.committed(world.states);
    expect(keeper.stateOf('totals')).toMatchObject({ batchTime: 9, heads: [{ version: 'v2' }, undefined] });
    expect([...world.files.contents.keys()]).toEqual(['00000001-9.state']);
  });

  it('begin anew with a snapshot when deltas are many, or outweigh it', async () => {
    const world = new World();
    const keeper = world.start();
    await world.batch(keeper, 1, ['snapshot', 'snapshot']);
    let time = 1;
    const wanted = (by: StateKeeper): readonly number[] => {
      world.begin(by, time + 1);
      return by.writeCall(world.call(by)).snapshotOf;
    };
    while (wanted(keeper).length === 0) await world.batch(keeper, ++time, ['delta', 'delta']);
    expect(time).toBeGreaterThan(60);
    expect(time).toBeLessThan(102);
    // After a start it is known, too.
    expect(wanted(world.start())).toEqual([1]);
  });

  it('are refused when one is gone, unless nobody uses them; then nothing is removed', async () => {
    const world = new World();
    await world.batch(world.start(), 1, ['snapshot', undefined]);
    world.files.contents.clear();
    world.files.contents.set('00000001-9.state', Buffer.from('x'));
    expect(() => world.start()).toThrow(
      expect.objectContaining({ code: 'STATE_CORRUPT', details: { file: '00000001-1.state' } }),
    );
    expect(world.start({ used: [] }).unused).toEqual(['totals']);
    expect(world.files.contents.size).toBe(1);
  });

  it('go with a name that is dropped', async () => {
    const world = new World();
    await world.batch(world.start(), 1, ['snapshot', 'snapshot']);
    const keeper = world.start({ used: [], dropped: ['totals', 'unknown'] });
    world.begin(keeper, 2);
    const changes = await keeper.seal();
    expect(changes).toEqual({ operators: [], dropped: ['totals'] });
    world.states = statesAfter(world.states, changes ?? { operators: [], dropped: [] }, 2);
    keeper.committed(world.states);
    expect([world.states.size, world.files.contents.size]).toEqual([0, 0]);
  });

  it('that cannot be written fail the batch', async () => {
    const world = new World();
    const keeper = world.start();
    world.begin(keeper, 1);
    world.files.fault = () => {
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    };
    const call = world.call(keeper);
    expect(() => keeper.add(call, 0, world.section(call, 0, 'snapshot', 1))).toThrow(
      expect.objectContaining({ code: 'STATE_WRITE_FAILED' }),
    );
  });
});
