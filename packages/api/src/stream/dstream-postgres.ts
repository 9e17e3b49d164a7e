import { MillraceError } from '@millrace/common';
import type { RddNode } from '../lineage/rdd-node.ts';
import {
  batchSettings,
  claimSettings,
  isDirectStream,
  loggedPostgres,
  type PostgresSinkOptions,
  postgresCall,
} from '../output/postgres-sink.ts';
import { placeOf } from '../place.ts';
import { DStreamOutputs } from './dstream-outputs.ts';

/** What writes each batch to PostgreSQL. */
export abstract class DStreamPostgres<T> extends DStreamOutputs<T> {
  /**
   * Output: `write` is given the rows of each partition of each batch, and a transaction in which Millrace keeps how far the output has come:
   * what `write` does in it is done exactly once. Rows must be the same whenever their batch is run (no time, no chance); what else `write`
   * does may be done again. Straight from a topic, the progress is its offsets: see the table `millrace_progress`.
   * `name`: unique in the job, and to be kept when the job changes.
   */
  toPostgres(name: string, options: PostgresSinkOptions<T>): void {
    const graph = this.graph;
    const place = placeOf(Object(options).write);
    const to = `PostgreSQL as "${name}"`;
    graph.check(() => {
      const { functions } = postgresCall(name, options);
      if (graph.graph.outputs.some((output) => output.name === 'toPostgres' && output.to === to))
        throw new MillraceError('JOB_INVALID', `there is an output toPostgres("${name}") already`, {
          remedy: 'Give each a name of its own.',
        });
      graph.addLambdas('toPostgres', functions, place);
    }, place);
    const isDirect = isDirectStream(this.node);
    const run = async (
      node: RddNode,
      kind: 'postgresWrite' | 'postgresClaim',
      functions: readonly Function[],
      value: Uint8Array,
    ): Promise<void> => {
      const { runner } = graph;
      const shipped = functions.map((f) => runner.ship(f, 'toPostgres'));
      await runner.run({ node, action: { kind, functions: shipped, numbers: [], value, place } });
    };
    graph.addOutput(
      'toPostgres',
      this.node,
      async (rdd) => {
        const call = postgresCall(name, options);
        const value = batchSettings(call, rdd, isDirect, graph.outputRun());
        await run(rdd.node, 'postgresWrite', call.functions, value);
      },
      place,
      {
        guarantee: 'exactly-once',
        to,
        loggedAs: loggedPostgres(name, Object(options)),
        claim: async () => {
          const call = postgresCall(name, options);
          const nothing = { kind: 'rows', partitions: [[]] } as const;
          await run(nothing, 'postgresClaim', [call.functions[0]], claimSettings(call, graph.outputRun()));
        },
      },
    );
  }
}
