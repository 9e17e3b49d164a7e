import { describe, expect, it } from '@jest/globals';
import { useDevBroker } from '../support/use-dev-broker.ts';
import { failAfter, INPUT_PARTITIONS, useOnceApplications } from '../support/use-once-applications.ts';

const withApplication = useOnceApplications(useDevBroker({ nodes: 2 }));

describe('an exactly-once output', () => {
  it('writes the records of a batch once, with the progress that tells of them', () =>
    withApplication(10, async (app) => {
      const { error, notices } = await app.run({});
      expect({ error, notices }).toEqual({ error: undefined, notices: [] });
      expect(await app.written()).toEqual(app.expected);
      const { epoch, planHash = '' } = (await app.progress(0)) ?? {};
      expect({ epoch, hashed: planHash.length }).toEqual({ epoch: 1, hashed: 64 });
      expect(await app.progress(INPUT_PARTITIONS)).toBeUndefined();
    }));

  it('skips what is there when a batch runs again, and says so', () =>
    withApplication(10, async (app) => {
      const first = await app.run({}, failAfter);
      expect(first.error?.code).toBe('USER_CODE');
      expect(await app.written()).toEqual(app.expected);
      const second = await app.run({});
      expect(second.error).toBeUndefined();
      expect(second.notices).toContainEqual(
        `output "${app.out}": 10 records of 2 tasks were there already, and were not written again`,
      );
      expect(await app.written()).toEqual(app.expected);
    }));

  it('makes no transaction for a task that writes nothing', () =>
    withApplication(10, async (app) => {
      await app.run({}, (values, write) => write(values.filter((value) => value === 'v0')));
      expect(await app.written()).toEqual(['v0']);
      expect((await app.progress(0))?.batchTime).toBeGreaterThan(0);
      expect((await app.progress(1))?.batchTime).toBe(0);
    }));

  it('loses none of the records that the first row becomes', () =>
    withApplication(2, async (app) => {
      await app.run({}, (values, write) =>
        write(values.flatMap((value) => Array.from({ length: 1000 }, (_, i) => `${value}-${i}`))),
      );
      expect(new Set(await app.written()).size).toBe(2000);
      expect((await app.written()).length).toBe(2000);
    }));

  it('refuses to run a batch again that another number of tasks has written in part', () =>
    withApplication(10, async (app) => {
      await app.run({}, (values, write) => failAfter(values.repartition(3), write));
      const before = await app.written();
      const { error } = await app.run({}, (values, write) => write(values.repartition(2)));
      expect(error?.code).toBe('OUTPUT_CONFLICT');
      expect(error?.remedy).toContain('offsets set');
      expect(await app.written()).toEqual(before);
      const again = await app.run({}, (values, write) => write(values.repartition(3)));
      expect(again.error).toBeUndefined();
      expect(await app.written()).toEqual(app.expected);
    }));

  it('is refused at the start when tasks may take longer than the brokers allow transactions to', () =>
    withApplication(1, async (app) => {
      const { error } = await app.run({ config: { taskTimeout: '1h' } });
      expect(error?.code).toBe('CONFIG_INVALID');
      expect(error?.remedy).toContain('transaction.max.timeout.ms');
    }));
});
