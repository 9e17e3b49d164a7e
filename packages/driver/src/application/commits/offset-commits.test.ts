import { describe, expect, it } from '@jest/globals';
import { offsetRange } from '@millrace/api';
import { MillraceError } from '@millrace/common';
import { world } from '../../../test/world.ts';
import type { ApplicationEvent } from '../../application-events.ts';
import { pump, settle } from '../testing/pump.ts';
import { createEngine, type EngineSetup, type RunningEngine, stream } from '../testing/run-engine.ts';

async function start(
  setup: EngineSetup & { readonly clock: Parameters<typeof pump>[0] },
): Promise<RunningEngine> {
  const running = await createEngine(setup);
  await pump(setup.clock, running.engine.validate());
  await pump(setup.clock, running.engine.start());
  return running;
}

const warnings = (events: readonly ApplicationEvent[]): string[] =>
  events.flatMap((event) => (event.kind === 'notice' && event.level === 'warn' ? [event.text] : []));

describe('commitAsync', () => {
  it('commits when all outputs of the batch are done, and then resolves', async () => {
    const order: string[] = [];
    const setup = world(
      (ssc) => {
        const views = stream(ssc, 'views');
        views.foreachRDD((rdd) => {
          views.commitAsync(rdd.offsetRanges).then(
            () => order.push(`committed ${setup.kafka.committed.get('views-0')}`),
            () => order.push('failed'),
          );
        });
        views.foreachRDD(async (rdd) => {
          await rdd.count();
          order.push(`outputs done, ${setup.kafka.committed.size} committed`);
        });
      },
      { config: { batches: 1 } },
    );
    const { engine } = await start(setup);
    expect(await pump(setup.clock, engine.done)).toBeUndefined();
    expect(order).toEqual(['outputs done, 0 committed', 'committed 100']);
    expect(setup.clock.pendingTimers).toBe(0);
  });

  it('never goes back: the highest offset of a partition counts, in one batch and in later ones', async () => {
    const ends = [7, 50, 20];
    const setup = world(
      (ssc) => {
        const views = stream(ssc, 'views');
        views.foreachRDD((_, time) => {
          for (const end of time > firstTime ? [3] : ends)
            void views.commitAsync([offsetRange('views', 0, 0, end)]);
          firstTime = Math.min(firstTime, time);
        });
      },
      { config: { batches: 3 } },
    );
    let firstTime = Number.POSITIVE_INFINITY;
    const { engine } = await start(setup);
    await pump(setup.clock, engine.done);
    expect([...setup.kafka.committed]).toEqual([['views-0', 50]]);
    expect(setup.kafka.requests.filter((request) => request === 'commit')).toHaveLength(1);
  });

  it('commits at once between batches, and what is on its way when the application stops', async () => {
    let commit: (() => Promise<void>) | undefined;
    const setup = world((ssc) => {
      const views = stream(ssc, 'views');
      views.foreachRDD(() => undefined);
      commit = () => views.commitAsync([offsetRange('views', 1, 0, 9)]);
    });
    const { engine } = await start(setup);
    const committed = commit?.();
    engine.stop({ mode: 'drain' });
    await pump(setup.clock, engine.done);
    await expect(committed).resolves.toBeUndefined();
    expect([...setup.kafka.committed]).toEqual([['views-1', 9]]);
    await expect(commit?.()).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('commits what whoever waited for a commit commits next', async () => {
    let commit: ((end: number) => Promise<void>) | undefined;
    const setup = world((ssc) => {
      const views = stream(ssc, 'views');
      views.foreachRDD(() => undefined);
      commit = (end) => views.commitAsync([offsetRange('views', 1, 0, end)]);
    });
    const { engine } = await start(setup);
    const before = setup.clock.now();
    await pump(setup.clock, Promise.resolve(commit?.(9).then(() => commit?.(12))));
    expect([...setup.kafka.committed]).toEqual([['views-1', 12]]);
    expect(setup.clock.now()).toBe(before);
    engine.stop({ mode: 'drain' });
    await pump(setup.clock, engine.done);
  });

  it('does not commit for a batch that fails', async () => {
    let committed: Promise<void> | undefined;
    const setup = world((ssc) => {
      const views = stream(ssc, 'views');
      views.foreachRDD((rdd) => {
        committed = views.commitAsync(rdd.offsetRanges);
      });
      views.foreachRDD(() => {
        throw new Error('the second output is broken');
      });
    });
    const { engine } = await start(setup);
    await pump(setup.clock, engine.done);
    await expect(committed).rejects.toMatchObject({ code: 'USER_CODE' });
    expect(setup.kafka.committed.size).toBe(0);
  });

  it('tells a batch that waits for its own commit, and commits all the same', async () => {
    let told: unknown;
    const setup = world(
      (ssc) => {
        const views = stream(ssc, 'views');
        views.foreachRDD(async (rdd) => {
          await views.commitAsync(rdd.offsetRanges).catch((error: unknown) => (told = error));
        });
      },
      { config: { batches: 1 } },
    );
    const { engine } = await start(setup);
    expect(await pump(setup.clock, engine.done)).toBeUndefined();
    expect(told).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      remedy: expect.stringContaining('Do not await'),
    });
    expect(setup.kafka.committed.get('views-0')).toBe(100);
  });

  it('rejects, says so once, and sends the offsets again when Kafka refuses them', async () => {
    const outcomes: string[] = [];
    const setup = world(
      (ssc) => {
        const views = stream(ssc, 'views');
        views.foreachRDD((rdd) => {
          views.commitAsync(rdd.offsetRanges).then(
            () => outcomes.push('committed'),
            (error: MillraceError) => outcomes.push(error.code),
          );
        });
      },
      { config: { batches: 4 } },
    );
    const send = setup.kafka.commitOffsets.bind(setup.kafka);
    let refusals = 2;
    setup.kafka.commitOffsets = async (group, offsets) => {
      if (refusals-- > 0)
        throw new MillraceError('KAFKA_PROTOCOL', 'UNKNOWN_MEMBER_ID', { remedy: 'Use another group.' });
      return send(group, offsets);
    };
    const { engine, events } = await start(setup);
    await pump(setup.clock, engine.done);
    expect(outcomes).toEqual(['KAFKA_PROTOCOL', 'KAFKA_PROTOCOL', 'committed', 'committed']);
    expect(warnings(events)).toEqual([expect.stringContaining('Use another group.')]);
    expect(setup.kafka.committed.get('views-0')).toBe(100);
  });

  it('refuses what are no offset ranges, and a commit while the job is being built', async () => {
    const refusals: unknown[] = [];
    const setup = world(
      (ssc) => {
        const views = stream(ssc, 'views');
        views.commitAsync([]).catch((error: unknown) => refusals.push(error));
        views.foreachRDD(() => {
          const wrong = { topic: 'views', partition: 0, fromOffset: 0, untilOffset: 1.5 };
          views.commitAsync([wrong]).catch((error: unknown) => refusals.push(error));
        });
      },
      { config: { batches: 1 } },
    );
    const { engine } = await start(setup);
    await pump(setup.clock, engine.done);
    expect(refusals).toMatchObject([{ code: 'BAD_REQUEST' }, { code: 'OFFSET_RANGE_INVALID' }]);
  });
});

describe('the mirror of offsets in Kafka', () => {
  it('follows the log, once a second at most, and has its end when the application stops', async () => {
    const setup = world((ssc) => stream(ssc, 'views', { mirrorOffsets: true }).foreachRDD(() => undefined), {
      config: { batches: 25 },
    });
    const { engine } = await start(setup);
    const done = pump(setup.clock, engine.done);
    for (let fed = 0; fed < 20; fed++) {
      setup.kafka.produce('views', 0, 1);
      await settle();
    }
    await done;
    const end = setup.kafka.partition('views', 0).latest;
    expect(setup.kafka.committed.get('views-0')).toBe(end);
    const commits = setup.kafka.requests.filter((request) => request === 'commit').length;
    expect(commits).toBeGreaterThan(0);
    expect(commits).toBeLessThanOrEqual(4);
  });

  it('is not there unless it was asked for', async () => {
    const setup = world((ssc) => stream(ssc, 'views').foreachRDD(() => undefined), {
      config: { batches: 2 },
    });
    const { engine } = await start(setup);
    await pump(setup.clock, engine.done);
    expect(setup.kafka.requests).not.toContain('commit');
  });

  it('sends everything again before Kafka forgets it, also what has no new records', async () => {
    const setup = world((ssc) => stream(ssc, 'views', { mirrorOffsets: true }).foreachRDD(() => undefined), {
      config: { batchInterval: 60_000, batches: 130 },
    });
    const { engine } = await start(setup);
    await pump(setup.clock, engine.done, { limitMs: 200 * 60_000, stepMs: 60_000 });
    // Two hours and ten minutes: at the start, after an hour, and after two.
    expect(setup.kafka.requests.filter((request) => request === 'commit')).toHaveLength(3);
  });
});
