import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { seededRandom } from '@millrace/common';
import { unordered } from '../../packages/api/src/testing/datasets.ts';
import { EXAMPLES, runExample } from '../../packages/api/src/testing/operators-page.ts';
import { InProcessCluster } from './in-process-cluster.ts';

/** What they need is not in this process: Kafka, a database, a place for files, state, blobs. */
const ELSEWHERE =
  /toKafka|writeToKafka|writeWithKeysToKafka|toPostgres|saveAs|WithState|updateStateByKey|inverse|name: '|broadcast|\(a, b\) => a - b/;
const HERE = EXAMPLES.filter(({ call }) => !ELSEWHERE.test(call));

describe('the examples of docs/operators.md on executors of this process', () => {
  let cluster: InProcessCluster;
  beforeEach(() => {
    cluster = new InProcessCluster({
      random: seededRandom(1),
      executors: 2,
      memoryBytesMax: 100,
      inlineBytesMax: 0,
      killChance: 0,
      failChance: 0,
    });
  });
  afterEach(() => cluster.close());

  it('are most of the page', () => {
    expect(HERE.length).toBeGreaterThan(EXAMPLES.length * 0.75);
  });

  it.each(HERE)('$call gives $result', async ({ call, order, result }) => {
    // oxlint-disable-next-line typescript/no-implied-eval -- an example of our own page
    const expected = new Function(`return [${result}];`)() as unknown[];
    const found = await runExample(call, { runner: cluster.runner });
    const rows = Array.isArray(found) ? (found as unknown[]) : [found];
    if (order === '→') expect(rows).toEqual(expected);
    else expect(unordered(rows)).toEqual(unordered(expected));
  });
});
