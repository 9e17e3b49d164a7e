import { describe, expect, it } from '@jest/globals';
import type { TaskContextData } from '@millrace/api/internal';
import type { DeadLetters } from '../output/dead-letters.ts';
import { columnParts } from './column-parts.ts';
import { runPipeline } from './index.ts';
import { columns, RANGE, stream } from './testing/pipeline-setup.ts';

const values = (n: number): string[] => Array.from({ length: n }, (_, i) => `v${i}`);

describe('parts of columns', () => {
  it('are the same records, a part at a time', () => {
    const all = columns(values(10));
    const parts = [...columnParts(all, 4)];
    expect(parts.map(({ n }) => n)).toEqual([4, 4, 2]);
    const rows = parts.flatMap((part) =>
      Array.from({ length: part.n }, (_, i) => [
        part.topic,
        part.partition,
        part.offset[i],
        part.timestamp[i],
        part.keyString(i),
        part.valueString(i),
        part.headers(i),
      ]),
    );
    expect(rows).toEqual(
      values(10).map((value, i) => ['views', 3, 10 + 2 * i, 1000 + i, `k${i}`, value, []]),
    );
  });

  it('are all of them when there are few', () => {
    const all = columns(values(3));
    expect([...columnParts(all, 3)]).toEqual([all]);
  });

  it('let dead letters wait for room in the middle of a fetch', async () => {
    let written = 0;
    let waiting = 0;
    let mostWaiting = 0;
    const looked: number[] = [];
    const deadLetters = {
      reading: () => ({
        write: () => {
          written += 1;
          mostWaiting = Math.max(mostWaiting, ++waiting);
          return true;
        },
        readUntil: (offset: number) => looked.push(offset),
      }),
      get isFull() {
        return waiting > 0;
      },
      ready: async () => {
        waiting = 0;
      },
    } as unknown as DeadLetters;
    const utf8 = { name: 'utf8', nullable: true } as const;
    const json = { name: 'json', nullable: true } as const;
    const clientJson = '{}';
    const common = { clientJson, groupId: 'g', isolation: 'read_committed', key: utf8, value: json } as const;
    const kafka = { ...common, undecodable: 'sum:1', deadLetters: new Uint8Array([1]) };
    const pipeline = { source: { kind: 'kafka', kafka } as const, operators: [] };
    const action = { kind: 'count', closures: [], numbers: [], place: '' };
    const { records } = await runPipeline({
      stage: { pipelines: [pipeline], action, ranges: [], batchIntervalMs: 1000 },
      pipeline,
      input: stream(columns(values(20_000))),
      range: RANGE,
      functions: { operators: [], action: [] },
      task: { partitionId: 3, accumulators: new Map() } as unknown as TaskContextData,
      signal: new AbortController().signal,
      deadLetters,
    });
    expect({ records, written }).toEqual({ records: 20_000, written: 20_000 });
    expect(mostWaiting).toBeLessThanOrEqual(4096);
    // In order, and as far as the last record at least.
    expect(looked.at(-2)).toBe(10 + 2 * 19_999 + 1);
  });
});
