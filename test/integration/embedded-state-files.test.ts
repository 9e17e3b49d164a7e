import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type DStream, type State, StateSpec } from '@millrace/api';
import { add, type Pair, useStateApplications } from '../support/use-state-applications.ts';

const withApplication = useStateApplications();

describe('keyed state in files', () => {
  it('costs what was touched, and old files go', async () => {
    await withApplication([], async (application) => {
      const spec = StateSpec.function((_: string, value: number | undefined, state: State<number>) => {
        state.update((state.getOption() ?? 0) + (value ?? 0));
        return undefined;
      }).named('counts');
      const build = (pairs: DStream<Pair>): void =>
        pairs.mapWithState(spec.numPartitions(1)).foreachRDD(() => undefined);
      const all = Array.from({ length: 5_000 }, (_, n): Pair => [`user-${n}`, 1]);
      await application.produce(all);
      await application.run(build);
      const [whole = 0] = application.files.map((file) => readFileSync(file).length);
      expect(whole).toBeGreaterThan(50_000);
      for (let n = 0; n < 5; n++) {
        await application.produce([[`user-${n}`, 1]]);
        await application.run(build);
      }
      const sizes = application.files.map((file) => readFileSync(file).length).toSorted((a, b) => a - b);
      expect(sizes).toHaveLength(6);
      expect(sizes.slice(0, 5).every((bytes) => bytes < 1_500)).toBe(true);
      // Everything changes: that is a snapshot, and what it replaces goes.
      await application.produce(all);
      await application.run(build);
      expect(application.files).toHaveLength(1);
    });
  });

  it('is refused when a file is damaged or gone, and what no commit names is removed', async () => {
    await withApplication([['a', 1]], async (application) => {
      const build = (pairs: DStream<Pair>): void =>
        pairs.updateStateByKey(add, { name: 'totals' }).foreachRDD(() => undefined);
      await application.run(build);
      const [file = ''] = application.files;
      const good = readFileSync(file);
      writeFileSync(join(file, '..', '00000001-1.state'), 'left by a batch that was not committed');
      await application.run(build);
      expect(application.files).toEqual([file]);
      const refusal = {
        code: 'STATE_CORRUPT',
        details: { file: basename(file), place: expect.stringMatching(/embedded-state-files\.test\.ts:\d+/) },
      };
      rmSync(file);
      await expect(application.run(build)).rejects.toMatchObject(refusal);
      writeFileSync(file, good.subarray(0, good.length - 1));
      await expect(application.run(build)).rejects.toMatchObject(refusal);
      // Only its task sees this one.
      writeFileSync(file, good.with(good.length - 9, 1));
      await expect(application.run(build)).rejects.toMatchObject(refusal);
      writeFileSync(file, good);
      await application.run(build);
    });
  });
});
