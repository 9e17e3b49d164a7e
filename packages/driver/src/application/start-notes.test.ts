import { describe, expect, it } from '@jest/globals';
import { world } from '../../test/world.ts';
import { pump } from './testing/pump.ts';
import { createEngine, stream } from './testing/run-engine.ts';

/** Three partitions: one that is given, one that the group has committed, one that only startFrom tells. */
function mixed() {
  const setup = world((ssc) =>
    stream(ssc, 'sales', { offsets: { 'sales-0': 5 } }).foreachRDD(() => undefined),
  );
  setup.kafka.create('sales', [10, 20, 30]);
  setup.kafka.committed.set('sales-1', 20);
  return setup;
}

const STARTS = [
  'topics sales: begins with sales-0 at 5, as the offsets given to it say',
  'topics sales: begins with sales-1 at 20, which consumer group "g" has committed',
  'topics sales: begins with sales-2 at 0, as startFrom says (earliest)',
];

describe('whoever submits a job is told where its streams begin', () => {
  it('and who said so, when there is no log, at submit and when it runs', async () => {
    const setup = mixed();
    const { engine, events } = await createEngine(setup);
    const notes = await pump(setup.clock, engine.validate());
    expect(notes.filter((note) => note.includes('begin'))).toEqual(STARTS);
    await engine.start();
    await pump(setup.clock, setup.clock.sleep(10));
    const [running] = events;
    expect(running).toMatchObject({ kind: 'running', notes: expect.arrayContaining(STARTS) });
    engine.stop({ mode: 'now' });
    await pump(setup.clock, engine.done);
  });

  it('and not again when it goes on behind its log', async () => {
    const setup = mixed();
    const first = await createEngine(setup);
    await pump(setup.clock, first.engine.validate());
    await first.engine.start();
    await pump(setup.clock, setup.clock.sleep(500));
    first.engine.stop({ mode: 'now' });
    await pump(setup.clock, first.engine.done);
    const second = await createEngine(setup);
    const notes = await pump(setup.clock, second.engine.validate());
    expect(notes.filter((note) => note.includes('begin'))).toEqual([]);
    expect(notes.join()).toContain('goes on after batch');
    second.engine.stop({ mode: 'now' });
  });

  it('and warned that a start anew begins where the consumer group stands', async () => {
    const setup = mixed();
    const { engine } = await createEngine(setup);
    const notes = await pump(setup.clock, engine.validate({ anew: true }));
    expect(notes).toContainEqual(
      expect.stringMatching(
        /^warning: topics sales: it begins anew, and still where its consumer group "g" stands/,
      ),
    );
    engine.stop({ mode: 'now' });
  });

  it('five partitions at most', async () => {
    const setup = world((ssc) => stream(ssc, 'sales').foreachRDD(() => undefined));
    setup.kafka.create('sales', [1, 2, 3, 4, 5, 6, 7]);
    const { engine } = await createEngine(setup);
    const notes = await pump(setup.clock, engine.validate());
    expect(notes.join()).toContain('sales-4 at 0 and 2 more, as startFrom says');
    engine.stop({ mode: 'now' });
  });
});
