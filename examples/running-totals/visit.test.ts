import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, jest } from '@jest/globals';
import { embed, produce, startDevBroker } from '@millrace/testing';
import job from './job.ts';

it('adds up from batch to batch, over a restart, and notices who has left', async () => {
  const broker = await startDevBroker();
  const stateDir = mkdtempSync(join(tmpdir(), 'running-totals-'));
  try {
    process.env['KAFKA_BROKERS'] = broker.brokers;
    process.env['VISIT_TIMEOUT'] = '100ms';
    broker.createTopic('purchases', { partitions: 2 });
    const buy = (user: string, cents: number) =>
      produce(broker.brokers, 'purchases', [{ key: user, value: JSON.stringify({ user, cents }) }]);
    const lines: unknown[] = [];
    jest.spyOn(console, 'log').mockImplementation((line) => void lines.push(line));
    const run = async (batches: number): Promise<void> => {
      const app = await embed(job, { stateDir, config: { batches, batchInterval: '20ms' } });
      await app.start();
      await app.awaitTermination({ timeoutMs: 20_000 });
    };

    await buy('ann', 250);
    await buy('bob', 100);
    await run(1);
    expect(lines.splice(0)).toEqual([expect.stringMatching(/ {2}ann 2.50 EUR, bob 1.00 EUR$/)]);
    await buy('bob', 400);
    await run(8);
    expect(lines).toContainEqual(expect.stringMatching(/ {2}bob 5.00 EUR, ann 2.50 EUR$/));
    expect(lines).toContain('ann left after 1 purchases of 2.50 EUR');
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
    await broker.close();
  }
});
