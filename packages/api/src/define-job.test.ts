import { describe, expect, it } from '@jest/globals';
import { defineJob, evaluateJob } from './define-job.ts';
import { ConsumerStrategies } from './kafka/consumer-strategies.ts';
import { LocationStrategies, type LocationStrategy } from './kafka/location-strategies.ts';
import { fakeRunner } from './testing/fake-runner.ts';

const OPTIONS = { brokers: 'localhost:9092', groupId: 'g', startFrom: 'earliest' } as const;

describe('jobs', () => {
  const config = { name: 'job', batchInterval: '1s' } as const;

  it('report every problem of the graph at once', async () => {
    const job = defineJob(config, (ssc) => {
      const stream = ssc.kafka.createDirectStream(
        LocationStrategies.PreferConsistent,
        ConsumerStrategies.Subscribe('views', { ...OPTIONS, brokers: '', nonsense: 1 }),
      );
      stream.map((async () => 1) as unknown as () => number);
    });
    const { context } = await evaluateJob(job);
    const problems = context.internals.graph.finish(fakeRunner().ship);
    expect(problems.map(({ code }) => code)).toEqual([
      'CONFIG_INVALID',
      'CONFIG_INVALID',
      'ELEMENT_PROMISE',
      'NO_OUTPUT_OPERATION',
    ]);
  });

  it('refuse unknown options and wrong names, with overrides on top', async () => {
    const wrong = defineJob({ ...config, name: 'no spaces', taskTimeout: '5m' }, () => undefined);
    const { options, context } = await evaluateJob(wrong, { batchs: 1 });
    const problems = context.internals.graph.finish(fakeRunner().ship);
    expect(problems.map(({ code }) => code)).toEqual([
      'CONFIG_INVALID',
      'CONFIG_INVALID',
      'NO_OUTPUT_OPERATION',
    ]);
    expect(problems[0]?.what).toContain('did you mean "batches"?');
    expect(problems[1]?.what).toContain('"name"');
    // Good enough to look for more problems, and no name of an application.
    expect(options).toMatchObject({ name: '.unnamed', batchInterval: 1000, taskTimeout: 300_000 });
    expect(
      (
        await evaluateJob(
          defineJob(config, () => undefined),
          { batchInterval: '50ms' },
        )
      ).options.batchInterval,
    ).toBe(50);
  });

  it('say when the job function throws', async () => {
    const job = defineJob(config, () => {
      throw new Error('boom');
    });
    await expect(evaluateJob(job)).rejects.toThrow(
      'boom. Mend what the job function throws. [JOB_EVALUATION_FAILED]',
    );
  });

  it('need a function, and a strategy for a stream', async () => {
    const functionless = defineJob(config, undefined as unknown as () => void);
    await expect(evaluateJob(functionless)).rejects.toThrow('no function that makes the streams');
    const aimless = defineJob(config, (ssc) => {
      ssc.kafka.createDirectStream(LocationStrategies.PreferConsistent, undefined as never);
    });
    await expect(evaluateJob(aimless)).rejects.toThrow('no consumer strategy');
  });

  it('say what was wrong before the job function threw, too', async () => {
    const job = defineJob({ ...config, batches: 0 }, () => {
      throw new Error('boom');
    });
    await expect(evaluateJob(job)).rejects.toMatchObject({
      code: 'JOB_INVALID',
      details: { codes: 'CONFIG_INVALID,JOB_EVALUATION_FAILED' },
    });
  });

  it('refuse ranges of createRDD that cannot be, before they say that an RDD has no place there', async () => {
    const read = (from: number, until: number) =>
      evaluateJob(
        defineJob(config, async (ssc) => {
          await ssc.kafka.createRDD({ brokers: 'b:1' }, [{ topic: 't', partition: 0, from, until }]);
        }),
      );
    await expect(read(5, 3)).rejects.toMatchObject({ code: 'OFFSET_RANGE_INVALID' });
    await expect(read(3, 5)).rejects.toThrow('an RDD was used while the job was being built');
  });

  it('plan no stream whose options are wrong, and need a location strategy', async () => {
    const job = defineJob(config, (ssc) => {
      ssc.kafka
        .createDirectStream(
          undefined as unknown as LocationStrategy,
          ConsumerStrategies.Subscribe('views', { ...OPTIONS, brokers: 7 as unknown as string }),
        )
        .print();
    });
    const { graph } = (await evaluateJob(job)).context.internals;
    expect(graph.graph.inputs).toEqual([]);
    expect(graph.finish(fakeRunner().ship).map(({ code }) => code)).toEqual([
      'CONFIG_INVALID',
      'JOB_INVALID',
    ]);
  });
});
