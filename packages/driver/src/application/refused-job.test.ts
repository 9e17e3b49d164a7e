import { describe, expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import { type World, world } from '../../test/world.ts';
import { pump } from './testing/pump.ts';
import { createEngine, stream } from './testing/run-engine.ts';

const refusal = async (setup: World): Promise<MillraceError> => {
  const { engine } = await createEngine(setup);
  const error: unknown = await pump(setup.clock, engine.validate()).catch((thrown: unknown) => thrown);
  if (!MillraceError.is(error)) throw new Error('it was not refused');
  expect(await pump(setup.clock, engine.done)).toBeDefined();
  expect(setup.files.contents.size).toBe(0);
  return error;
};

describe('a job that cannot run', () => {
  it('is refused without an output operation', async () => {
    expect(await refusal(world((ssc) => void stream(ssc, 'views')))).toMatchObject({
      code: 'NO_OUTPUT_OPERATION',
    });
  });

  it('is refused with all of its problems at once', async () => {
    const error = await refusal(
      world((ssc) => {
        stream(ssc, 'nowhere');
        stream(ssc, 'views', { startFrom: undefined });
        stream(ssc, 'views', { offsets: { 'views-1': 51 } });
        stream(ssc, 'views', { enableAutoCommit: true });
      }),
    );
    expect(error.code).toBe('JOB_INVALID');
    for (const code of ['UNKNOWN_TOPIC', 'NO_START_OFFSET', 'OFFSET_OUT_OF_RANGE', 'NO_OUTPUT_OPERATION']) {
      expect(error.message).toContain(code);
    }
    expect(error.message).toContain('auto-commit');
    expect(error.message).not.toContain('unresolved');
  });

  it('is refused in bounded time when no broker answers', async () => {
    const setup = world((ssc) => stream(ssc, 'views').foreachRDD(() => undefined));
    setup.kafka.down = true;
    expect(await refusal(setup)).toMatchObject({ code: 'KAFKA_UNREACHABLE' });
    expect(setup.clock.monotonic()).toBeLessThan(11_000);
  });
});

describe('an output to a topic', () => {
  const writes = (...topics: readonly string[]) =>
    world((ssc) => {
      const rows = stream(ssc, 'views').map(({ value }) => value);
      for (const topic of topics) rows.toKafka(topic, { brokers: 'fake:1' });
    });

  it('that does not exist is refused, all of them at once, with the nearest name', async () => {
    const setup = writes('vews', 'nowhere-near', 'counts');
    setup.kafka.create('counts', [0]);
    const error = await refusal(setup);
    expect(error.problems).toMatchObject([
      {
        code: 'UNKNOWN_TOPIC',
        what: 'the output topic "vews" does not exist',
        remedy: expect.stringContaining('Did you mean "views"?'),
        details: { place: expect.stringMatching(/:\d+:\d+$/) },
      },
      { code: 'UNKNOWN_TOPIC', remedy: 'Create it, or mend its name.' },
    ]);
  });

  it('that is internal to Kafka or Millrace is refused', async () => {
    const error = await refusal(writes('__consumer_offsets', '__millrace_progress'));
    expect(error.problems.slice(0, 2)).toMatchObject([
      { code: 'JOB_INVALID', what: 'toKafka(): "__consumer_offsets" is an internal topic' },
      { code: 'JOB_INVALID', what: 'toKafka(): "__millrace_progress" is an internal topic' },
    ]);
  });

  it('that the job reads is a warning', async () => {
    const { clock, ...setup } = writes('views');
    const { engine } = await createEngine({ clock, ...setup });
    const notes = await pump(clock, engine.validate());
    expect(notes).toContainEqual(
      'warning: output toKafka#0 writes to topic "views", which the job reads: what it writes is read again, in an endless loop',
    );
    engine.stop({ mode: 'now' });
  });

  it('of another Kafka, which is away, keeps a first run from starting, and not one that goes on', async () => {
    const setup = world((ssc) => {
      const rows = stream(ssc, 'views').map(({ value }) => value);
      rows.toKafka('counts', { brokers: 'other:1' });
      rows.foreachRDD(() => undefined);
    });
    const topics = setup.kafka.topics.bind(setup.kafka);
    let isAway = false;
    setup.kafka.create('counts', [0]);
    setup.kafka.topics = async (names) => {
      if (isAway && names?.includes('counts') === true)
        throw new MillraceError('KAFKA_UNREACHABLE', 'no broker of other:1 answers');
      return topics(names);
    };
    const first = await createEngine(setup);
    await pump(setup.clock, first.engine.validate());
    await first.engine.start();
    for (let n = 0; n < 10; n++) await pump(setup.clock, setup.clock.sleep(100));
    first.engine.stop({ mode: 'now' });
    await pump(setup.clock, first.engine.done);
    isAway = true;
    const second = await createEngine(setup);
    await pump(setup.clock, second.engine.validate());
    second.engine.stop({ mode: 'now' });
    const anew = await createEngine(setup);
    await expect(pump(setup.clock, anew.engine.validate({ anew: true }))).rejects.toMatchObject({
      code: 'KAFKA_UNREACHABLE',
    });
  });
});
