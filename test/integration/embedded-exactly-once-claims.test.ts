// Who may write to an exactly-once output: one application with one log, and of its runs the newest.
import { describe, expect, it } from '@jest/globals';
import { progressOffset, progressPlace } from '@millrace/kafka';
import { until } from '../support/until.ts';
import { useDevBroker } from '../support/use-dev-broker.ts';
import { useOnceApplications } from '../support/use-once-applications.ts';

const kafka = useDevBroker({ nodes: 2 });
const withApplication = useOnceApplications(kafka);

describe('an exactly-once output', () => {
  it('lets nothing become visible that an older run has begun, of tasks that do not run any more, too', () =>
    withApplication(10, async (app) => {
      await app.run({});
      const { transactionalId, groupId } = progressPlace(`millrace/${app.name}/${app.out}`, 1);
      const zombie = kafka.client.transactionalProducer({ transactionalId, transactionTimeoutMs: 60_000 });
      await zombie.init();
      zombie.begin();
      await zombie.send(app.out, [{ value: 'zombie' }]);
      const own = { epoch: 1, batchTime: Date.now(), planHash: 'x', log: '' };
      await zombie.sendOffsets(groupId, [progressOffset(progressPlace('', 1), own)]);
      const { error } = await app.run({});
      expect(error).toBeUndefined();
      await expect(zombie.commit()).rejects.toMatchObject({ code: 'PRODUCER_FENCED' });
      expect(await app.written()).toEqual(app.expected);
    }));

  it('is not written again by an application whose log was lost', () =>
    withApplication(10, async (app) => {
      expect((await app.run({})).error).toBeUndefined();
      app.loseLog();
      const { error } = await app.run({});
      expect(error).toMatchObject({ code: 'FENCED' });
      expect(error?.what).toContain('an application of this name with another log');
      // Its epochs come to that of the output, and pass it.
      for (let more = 0; more < 2; more++)
        expect((await app.run({})).error).toMatchObject({ code: 'FENCED' });
      expect(await app.written()).toEqual(app.expected);
    }));

  it('is not written again by an application whose log is an older copy, in the epoch that the output has', () =>
    withApplication(10, async (app) => {
      expect((await app.run({})).error).toBeUndefined();
      const copy = app.copyOfLog();
      await app.produce(10);
      expect((await app.run({})).error).toBeUndefined();
      const { error } = await app.run({ stateDir: copy });
      expect(error).toMatchObject({ code: 'OUTPUT_CONFLICT' });
      expect(error?.what).toContain('which the log of the application does not know');
      expect(await app.written()).toEqual(app.expected);
      await app.produce(2);
      expect((await app.run({})).error).toBeUndefined();
      expect(await app.written()).toEqual(app.expected);
    }));

  it('is not shared by two applications of one name, neither of which has written yet', () =>
    withApplication(0, async (app) => {
      const refused = Promise.withResolvers<void>();
      const first = app.run({ batches: 2 }, (values, write) =>
        write(
          values.transform(async (rdd) => {
            await refused.promise;
            return rdd;
          }),
        ),
      );
      await until('its claim', () => app.progress(0));
      const { error } = await app.run({ stateDir: app.otherStateDir() });
      expect(error).toMatchObject({ code: 'FENCED' });
      await app.produce(10);
      refused.resolve();
      expect((await first).error).toBeUndefined();
      await app.run({});
      expect(await app.written()).toEqual(app.expected);
    }));

  it('ends as fenced when a newer run of the application has claimed its ids', () =>
    withApplication(10, async (app) => {
      await app.setProgress(0, { epoch: 99, batchTime: 0, planHash: '' });
      const { error } = await app.run({});
      expect(error?.code).toBe('FENCED');
      expect(await app.written()).toEqual([]);
    }));

  it('ends as fenced when one claims an id that only a task finds', () =>
    withApplication(10, async (app) => {
      await app.run({});
      await app.produce(2);
      const { error } = await app.run({ batches: 2 }, (values, write) => {
        let isFirst = true;
        write(
          values.transform(async (rdd) => {
            if (isFirst) await app.setProgress(1, { epoch: 99, batchTime: 0, planHash: '' });
            isFirst = false;
            return rdd;
          }),
        );
      });
      expect(error?.code).toBe('FENCED');
      expect(await app.written()).not.toContain('v11');
    }));

  it('is not written by a task that finds a batch which its log does not know, as of a copy that runs, too', () =>
    withApplication(10, async (app) => {
      await app.run({});
      await app.produce(2);
      const before = await app.written();
      const { error } = await app.run({}, (values, write) =>
        write(
          values.transform(async (rdd, time) => {
            for (const task of [0, 1])
              await app.setProgress(task, { epoch: 2, batchTime: time - 1, planHash: 'x' });
            return rdd;
          }),
        ),
      );
      expect(error?.code).toBe('OUTPUT_CONFLICT');
      expect(await app.written()).toEqual(before);
    }));
});
