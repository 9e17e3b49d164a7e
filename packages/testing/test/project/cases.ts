// What both test runners check; each brings its own `it` and `expect`.
import type { MillraceError } from '@millrace/api';
import { embed, produce, startDevBroker } from '@millrace/testing';
import failing from './failing.ts';
import job, { results } from './job.ts';
import refused from './refused.ts';

export interface Outcome {
  readonly results: readonly unknown[];
  readonly warnings: readonly string[];
  readonly refusal: string;
  readonly failure: string;
}

export async function runAll(): Promise<Outcome> {
  const broker = await startDevBroker();
  const thrown = (error: MillraceError): MillraceError => error;
  try {
    process.env['KAFKA_BROKERS'] = broker.brokers;
    broker.createTopic('orders', { partitions: 1 });
    await produce(broker.brokers, 'orders', [{ value: 'a/one' }, { value: 'a/two' }]);
    const warnings: string[] = [];
    const app = await embed(job, {
      onEvent: (event) =>
        void (event.kind === 'notice' && event.level === 'warn' && warnings.push(event.text)),
    });
    await app.start();
    await app.awaitTermination({ timeoutMs: 20_000 });
    const bad = await embed(refused);
    const refusal = await bad.start().then(
      () => 'accepted',
      (error: MillraceError) => thrown(error).message,
    );
    const ugly = await embed(failing);
    await ugly.start();
    const failure = await ugly.awaitTermination({ timeoutMs: 20_000 }).then(
      () => 'fine',
      (error: MillraceError) => String(thrown(error).stack),
    );
    return { results, warnings, refusal, failure };
  } finally {
    await broker.close();
  }
}

/** What `runAll` must give. */
export function problemsOf({ results: rows, warnings, refusal, failure }: Outcome): string[] {
  const problems: string[] = [];
  const check = (what: string, ok: boolean, actual: unknown): void => {
    if (!ok) problems.push(`${what}: ${JSON.stringify(actual)}`);
  };
  const row = (name: string) => [name, '2.50 EUR', 1.5, 19, true];
  // The driver's map and totals are untouched: tasks had copies.
  check('rows', JSON.stringify(rows) === JSON.stringify([row('one'), row('two'), 0, 0, true]), rows);
  check('two warnings', warnings.length === 2, warnings);
  check(
    'a changed Map',
    warnings.some((text) => text.includes('changed `seen`, which the function at job.ts:24:27')),
    warnings,
  );
  check(
    'a changed part',
    warnings.some((text) => text.includes('changed `totals.byUser`')),
    warnings,
  );
  check(
    'its declaration',
    warnings.every((text) => /declared at job\.ts:(19|20):9/.test(text)),
    warnings,
  );
  check(
    'the refusal',
    refusal.includes('assigns to `counter`') && refusal.includes('refused.ts:13:14'),
    refusal,
  );
  check('the stack', /at check \(failing\.ts:8:9\).*failing\.ts:20:\d+/s.test(failure), failure);
  return problems;
}
