import { randomFillSync } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync, writeSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { type DStream, type State, StateSpec, type StreamingContext } from '@millrace/api';
import { runCaptured } from '../../packages/cli/src/testing/captured-run.ts';
import { add, type Pair, useStateApplications } from '../support/use-state-applications.ts';

const withApplication = useStateApplications();

type Application = Parameters<Parameters<typeof withApplication>[1]>[0];

/** `millrace state …` where the application's driver would keep its state. */
function commandOf(application: Application) {
  const run = (...argv: readonly string[]) =>
    runCaptured(['state', ...argv, '--state-dir', application.driverDir], { cwd: application.driverDir });
  return {
    run,
    get: async (operator: string, key: string) => (await run('get', 'app', operator, key)).out,
    json: async (...argv: readonly string[]) => JSON.parse((await run(...argv, '--json')).out),
  };
}

const TOTALS = (pairs: DStream<Pair>): void =>
  pairs.updateStateByKey(add, { name: 'totals', partitions: 3 }).foreachRDD(() => undefined);

describe('millrace state', () => {
  it('lists operators and partitions, and prints the state of a key', async () => {
    await withApplication(
      [
        ['a', 1],
        ['b', 2],
      ],
      async (application) => {
        await application.run((pairs) => {
          TOTALS(pairs);
          pairs
            .map(([key, n]): [unknown[], number] => [[key, n], n])
            .mapWithState(
              StateSpec.function((_: unknown, n: number | undefined, state: State<unknown>) => {
                state.update({ n, big: 2n, map: new Map([['x', new Set([1])]]), bytes: Buffer.from('hi') });
                return n;
              }).named('sessions'),
            )
            .foreachRDD(() => undefined);
        });
        const { run, get, json } = commandOf(application);
        const listed = await run('ls', 'app');
        expect(listed.out.split('\n').map((line) => line.replace(/ +/g, ' '))).toEqual([
          expect.stringMatching(/app\/log · up to \d{4}-.*Z$/),
          'OPERATOR KIND PARTITIONS KEYS BYTES VERSION LAST BATCH',
          expect.stringMatching(/^totals keyed 3 2 \d+ B 0 \d{4}-.*Z$/),
          expect.stringMatching(/^sessions keyed \d+ 2 [\d.]+ k?B 0 \d{4}-.*Z$/),
          '',
        ]);
        expect(await json('ls', 'app', 'totals')).toMatchObject({
          version: 1,
          operators: [{ name: 'totals', partitions: 3, keys: 2, valueVersion: 0 }],
        });
        expect((await run('ls', 'app', 'totals')).out).toMatch(/PARTITION +KEYS +BYTES +SECTIONS +VERSION/);
        expect([await get('totals', 'a'), await get('totals', '"b"')]).toEqual(['1\n', '2\n']);
        expect(await get('sessions', '["b",2]')).toContain("map: Map(1) { 'x' => Set(1) { 1 } }");
        expect(await json('get', 'app', 'sessions', '["b",2]')).toMatchObject({
          version: 1,
          operator: 'sessions',
          key: ['b', 2],
          value: { n: 2, big: '2', map: [['x', [1]]], bytes: 'aGk=' },
        });
      },
    );
  });

  it('takes what was written last: over a restart, deltas, removals, and a partitioner of the job', async () => {
    await withApplication([], async (application) => {
      const build = (pairs: DStream<Pair>): void => {
        pairs
          .updateStateByKey(add, {
            name: 'totals',
            partitions: { partitions: 2, partitionOf: (key: string) => (key === 'k7' ? 1 : 0) },
          })
          .foreachRDD(() => undefined);
        pairs
          .mapWithState(
            StateSpec.function((_: string, n: number | undefined, state: State<number>) => {
              if (n === 0) state.remove();
              else state.update((state.getOption() ?? 0) + (n ?? 0));
              return n;
            })
              .named('counts')
              .numPartitions(2),
          )
          .foreachRDD(() => undefined);
      };
      const many = Array.from({ length: 500 }, (_, n): Pair => [`k${n}`, 1]);
      await application.produce([...many, ['42', 1], ['gone', 1]]);
      await application.run(build);
      const { run, get, json } = commandOf(application);
      expect([await get('counts', '42'), await get('counts', 'gone')]).toEqual(['1\n', '1\n']);
      await application.produce([
        ['42', 5],
        ['k7', 2],
        ['gone', 0],
      ]);
      await application.run(build);
      expect(await get('counts', '42')).toBe('6\n');
      expect([await get('totals', 'k7'), await get('totals', 'k8')]).toEqual(['3\n', '1\n']);
      const { operators } = await json('ls', 'app', 'counts');
      expect(operators[0].held.map(({ sections }: { sections: number }) => sections)).toContain(2);
      const gone = await run('get', 'app', 'counts', 'gone');
      expect([gone.exitCode, gone.out, gone.err]).toEqual([6, '', expect.stringContaining('STATE_UNKNOWN')]);
    });
  });

  it('reads a running application as it was at some commit', async () => {
    await withApplication([], async (application) => {
      const { run } = commandOf(application);
      const seen: number[] = [];
      const failures: string[] = [];
      const over = new AbortController();
      const running = application
        .run(
          (_: DStream<Pair>, ssc: StreamingContext) => {
            const one: readonly Pair[] = [['a', 1]];
            ssc
              .queueStream(Array.from({ length: 60 }, () => ssc.parallelize(one)))
              .updateStateByKey(add, { name: 'totals', partitions: 1 })
              .foreachRDD(() => undefined);
          },
          {},
          60,
        )
        .finally(() => over.abort());
      while (!over.signal.aborted) {
        // Files are read without waiting: the application needs its turn.
        await setTimeout(5);
        const { exitCode, out, err } = await run('get', 'app', 'totals', 'a');
        if (exitCode === 0) seen.push(Number(out));
        else if (exitCode !== 6) failures.push(err);
      }
      await running;
      expect(failures).toEqual([]);
      expect(seen.length).toBeGreaterThan(5);
      expect(seen).toEqual(seen.toSorted((a, b) => a - b));
      expect((await run('get', 'app', 'totals', 'a')).out).toBe('60\n');
    });
  });

  it('refuses what is not there, and what is damaged', async () => {
    await withApplication([['a', 1]], async (application) => {
      await application.run(TOTALS);
      const { run } = commandOf(application);
      const refused = async (...argv: readonly string[]) => {
        const { exitCode, err } = await run(...argv);
        return [exitCode, err];
      };
      expect(await refused('ls', 'nobody')).toEqual([6, expect.stringContaining('APPLICATION_UNKNOWN')]);
      expect(await refused('get', 'app', 'total', 'a')).toEqual([
        6,
        expect.stringContaining('Did you mean "totals"?'),
      ]);
      expect(await refused('get', 'app', 'totals', 'z')).toEqual([
        6,
        expect.stringContaining('STATE_UNKNOWN'),
      ]);
      expect(await refused('get', 'app', 'totals')).toEqual([2, expect.stringContaining('key')]);
      const [file = ''] = application.files;
      const fd = openSync(file, 'r+');
      const { size } = fstatSync(fd);
      writeSync(fd, randomFillSync(Buffer.alloc(8)), 0, 8, size - 8);
      closeSync(fd);
      expect(readFileSync(file)).toHaveLength(size);
      expect(await refused('get', 'app', 'totals', 'a')).toEqual([
        7,
        expect.stringContaining('STATE_CORRUPT'),
      ]);
    });
  });
});
