// Requests of the transactions of an exactly-once output that get lost, come late, or are answered with errors.
import { describe, expect, it } from '@jest/globals';
import type { MillraceError } from '@millrace/common';
import type { FaultAction, FaultRule } from '@millrace/devbroker';
import { KAFKA_ERROR } from '@millrace/kafka';
import { useDevBroker } from '../support/use-dev-broker.ts';
import { type OnceApplication, useOnceApplications } from '../support/use-once-applications.ts';

const kafka = useDevBroker({ nodes: 2 });
const withApplication = useOnceApplications(kafka);

const FAULTS: ReadonlyArray<readonly [string, FaultAction]> = [
  ['a connection cut before the work', { kind: 'close', when: 'before' }],
  ['a connection cut after the work', { kind: 'close', when: 'after' }],
  ['silence after the work', { kind: 'drop', when: 'after' }],
  ['work that is done late', { kind: 'late', delayMs: 60 }],
  ['an unknown error', { kind: 'error', code: 12_345 }],
  ['a producer that was fenced', { kind: 'error', code: KAFKA_ERROR.PRODUCER_FENCED }],
];

/** A run of one batch in which the first such request of a task meets the fault. */
async function duringBatch(
  app: OnceApplication,
  fault: FaultRule,
): Promise<{ readonly hits: number; readonly error: MillraceError | undefined }> {
  let injected: { readonly hits: number } | undefined;
  const { error } = await app.run({}, (values, write) =>
    write(
      values.transform((rdd) => {
        injected ??= kafka.broker.faults.inject(fault);
        return rdd;
      }),
    ),
  );
  return { hits: injected?.hits ?? 0, error };
}

describe('an exactly-once output', () => {
  it.each([
    'InitProducerId',
    'OffsetFetch',
    'AddPartitionsToTxn',
    'Produce',
    'AddOffsetsToTxn',
    'TxnOffsetCommit',
    'EndTxn',
  ] as const)(
    'writes each record once, whatever happens to %s',
    (api) =>
      withApplication(4, async (app) => {
        await app.run({});
        // An unknown answer to a request that only reads ends the batch: nothing is in doubt.
        const faults = api === 'OffsetFetch' ? FAULTS.filter(([, { kind }]) => kind !== 'error') : FAULTS;
        for (const [name, action] of faults) {
          await app.produce(4);
          // The claims of the start are not meant: they have their own test.
          const { hits, error } = await duringBatch(app, { api, action });
          expect([name, hits, error]).toEqual([name, 1, undefined]);
          if (action.kind === 'late') await new Promise((resolve) => setTimeout(resolve, 2 * action.delayMs));
          expect([name, await app.written()]).toEqual([name, app.expected]);
        }
      }),
    60_000,
  );

  it('takes its ids over whatever happens to the first request of each kind', () =>
    withApplication(4, async (app) => {
      await app.run({});
      for (const api of [
        'InitProducerId',
        'OffsetFetch',
        'AddOffsetsToTxn',
        'TxnOffsetCommit',
        'EndTxn',
      ] as const) {
        const fault = kafka.broker.faults.inject({ api, action: { kind: 'close', when: 'after' } });
        const { error } = await app.run({});
        expect([api, fault.hits, error]).toEqual([api, 1, undefined]);
        expect([api, await app.written()]).toEqual([api, app.expected]);
      }
    }));
});
