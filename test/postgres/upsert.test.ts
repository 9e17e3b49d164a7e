// Against a real server: postgresUnderTest.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { MillraceError, upsert } from '@millrace/api';
import { usePostgresUnderTest } from '../support/use-postgres-under-test.ts';

const postgres = usePostgresUnderTest();
const table = (): string => `${postgres.schema}.things`;

beforeEach(async () => {
  await postgres.pool.query(`DROP TABLE IF EXISTS ${table()}`);
  await postgres.pool.query(
    `CREATE TABLE ${table()} (id int, "part of" text, n bigint DEFAULT 5, x float8, b bytea, at timestamptz, j json, PRIMARY KEY (id, "part of"))`,
  );
});

async function stored(): Promise<readonly unknown[]> {
  return (await postgres.pool.query(`SELECT * FROM ${table()} ORDER BY id, "part of"`)).rows;
}

const KEY = { key: ['id', 'part of'] } as const;

describe('upsert', () => {
  it('writes values of every type, and replaces rows that are there', async () => {
    const at = new Date('2026-01-02T03:04:05.678Z');
    const row = {
      id: 1,
      'part of': 'größe "\'\\\n',
      n: 2n ** 62n,
      x: Number.NaN,
      b: new Uint8Array([0, 255, 7]),
      at,
      j: { deep: [1, null] },
    };
    expect(await upsert(postgres.pool, table(), [row], KEY)).toBe(1);
    const read = { ...row, n: String(2n ** 62n), b: Buffer.from([0, 255, 7]) };
    expect(await stored()).toEqual([read]);
    const next = { ...row, n: null, x: Number.NEGATIVE_INFINITY, b: Buffer.from('x'), at: null, j: 'text' };
    await upsert(postgres.pool, table(), [next], KEY);
    expect(await stored()).toEqual([next]);
  });

  it('applies each of several rows with one key, in order, also when its expression adds', async () => {
    const rows = [3, 4, 1, 3].map((n, i) => ({ id: i % 2, 'part of': 'a', n }));
    const count = await upsert(postgres.pool, table(), rows, {
      ...KEY,
      update: { n: 'things.n + excluded.n' },
    });
    expect(count).toBe(4);
    expect(await stored()).toMatchObject([
      { id: 0, n: '4' },
      { id: 1, n: '7' },
    ]);
  });

  it('takes any iterable, in statements of chunkRows rows, and leaves the defaults of columns that rows do not have', async () => {
    async function* rows(): AsyncGenerator<object> {
      for (let id = 0; id < 2501; id++) yield { id, 'part of': 'b' };
    }
    let statements = 0;
    const client = {
      query: (text: string, values?: unknown[]) => {
        statements += 1;
        return postgres.pool.query(text, values);
      },
    };
    expect(await upsert(client, table(), rows(), KEY)).toBe(2501);
    expect(statements).toBe(3);
    expect(await stored()).toHaveLength(2501);
    expect((await stored()).at(-1)).toMatchObject({ id: 2500, n: '5' });
    expect(await upsert(client, table(), [], KEY)).toBe(0);
    expect(statements).toBe(3);
  });

  it.each([
    [[{ id: 1, n: 1 }], 'no column "part of"'],
    [
      [
        { id: 1, 'part of': 'a' },
        { id: 2, 'part of': 'a', n: 1 },
      ],
      'a row has the columns',
    ],
  ])('refuses %j', async (rows, problem) => {
    const error = await upsert(postgres.pool, table(), rows, KEY).catch((thrown: unknown) => thrown);
    expect(MillraceError.is(error, 'VALUE_ENCODE') && error.what).toContain(problem);
    expect(await stored()).toEqual([]);
  });
});
