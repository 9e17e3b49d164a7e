import { describe, expect, it } from '@jest/globals';
import type { MillraceError } from '@millrace/common';
import { world } from '../../test/world.ts';
import { pump, settle } from './testing/pump.ts';
import { createEngine, stream } from './testing/run-engine.ts';

/** An application with the defaults, after its first batch. */
async function running() {
  const setup = world((ssc) => stream(ssc, 'views').foreachRDD(async (rdd) => void (await rdd.count())));
  const { clock } = setup;
  const { engine, events } = await createEngine(setup);
  await pump(clock, engine.validate());
  await engine.start();
  const records = (): number =>
    events.reduce((sum, event) => sum + (event.kind === 'batch-completed' ? event.batch.records : 0), 0);
  const warnings = (): readonly string[] =>
    events.flatMap((event) => (event.kind === 'notice' && event.level === 'warn' ? [event.text] : []));
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 100) {
      clock.advance(100);
      await settle();
    }
  };
  const failure = async (): Promise<MillraceError> => {
    const error = await pump(clock, engine.done, { limitMs: 700_000, stepMs: 100 });
    if (error === undefined) throw new Error('it was only stopped');
    return error;
  };
  await pass(500);
  expect(records()).toBe(150);
  return { ...setup, engine, records, warnings, pass, failure };
}

describe('an application whose Kafka is away', () => {
  it('waits for more than a minute, and goes on', async () => {
    const run = await running();
    run.kafka.down = true;
    await run.pass(90_000);
    expect(run.engine.state).toBe('RUNNING');
    run.kafka.down = false;
    run.kafka.produce('views', 0, 11);
    await run.pass(3_000);
    expect(run.records()).toBe(161);
    expect(run.warnings()).toHaveLength(1);
  });

  it('fails after kafkaTimeout, and says how long it has waited, and what to raise', async () => {
    const run = await running();
    run.kafka.down = true;
    const error = await run.failure();
    expect(error).toMatchObject({
      code: 'KAFKA_UNREACHABLE',
      what: expect.stringMatching(/^offsets of .*: no answer from Kafka at fake:1 within (599|600) s/),
      remedy: expect.stringContaining('raise the job option kafkaTimeout'),
    });
    expect(run.clock.monotonic()).toBeGreaterThan(595_000);
  });

  it('says so after 10 s, when brokers answer nothing at all', async () => {
    const run = await running();
    const list = run.kafka.listOffsets.bind(run.kafka);
    const silent = Promise.withResolvers<never>();
    run.kafka.listOffsets = () => silent.promise;
    await run.pass(9_000);
    expect(run.warnings()).toEqual([]);
    await run.pass(1_500);
    expect(run.warnings()).toEqual([expect.stringMatching(/no answer .* for 10 s; waiting up to 600 s/)]);
    run.kafka.listOffsets = list;
    await run.pass(1_000);
    expect(run.engine.state).toBe('RUNNING');
  });

  it('fails a minute after its topic was deleted, which is no Kafka that is away', async () => {
    const run = await running();
    run.kafka.down = true;
    await run.pass(120_000);
    run.kafka.drop('views');
    run.kafka.down = false;
    await run.pass(30_000);
    expect(run.engine.state).toBe('RUNNING');
    expect(await run.failure()).toMatchObject({ code: 'UNKNOWN_TOPIC' });
    expect(run.clock.monotonic()).toBeLessThan(120_500 + 70_000);
  });

  it('is refused in bounded time when it is to go on behind a log', async () => {
    const run = await running();
    run.engine.stop({ mode: 'now' });
    await run.pass(1_000);
    run.kafka.down = true;
    const again = await createEngine(run);
    const began = run.clock.monotonic();
    await expect(pump(run.clock, again.engine.validate())).rejects.toMatchObject({
      code: 'KAFKA_UNREACHABLE',
    });
    expect(run.clock.monotonic() - began).toBeLessThanOrEqual(40_100);
  });
});
