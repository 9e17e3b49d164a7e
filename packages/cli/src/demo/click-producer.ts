import type { Clock, Logger } from '@millrace/common';
import type { KafkaProducer } from '@millrace/kafka';
import type { ClickGenerator } from './click-generator.ts';

const TICK_MS = 50;
// After a pause (a broker that was away) it goes on at its rate: it does not send what it missed beyond this.
const CATCH_UP_MS = 1_000;
const RETRY_MS = 500;

export interface ClickProducerOptions {
  readonly producer: KafkaProducer;
  readonly generator: ClickGenerator;
  readonly topic: string;
  /** Events a second. */
  readonly rate: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** Sends clicks at a steady rate until `signal` is aborted. A broker that is away is waited for. Returns how many were sent. */
export async function produceClicks(options: ClickProducerOptions): Promise<number> {
  const { producer, generator, topic, rate, clock, signal, logger } = options;
  let sent = 0;
  let owedSince = clock.monotonic();
  while (!signal.aborted) {
    const now = clock.monotonic();
    owedSince = Math.max(owedSince, now - CATCH_UP_MS);
    const due = Math.floor(((now - owedSince) * rate) / 1000);
    if (due > 0) {
      const at = clock.now();
      const records = Array.from({ length: due }, () => {
        const click = generator.next(at);
        return { key: click.user, value: JSON.stringify(click), timestamp: at };
      });
      owedSince += (due * 1000) / rate;
      try {
        await producer.send(topic, records, { compression: 'lz4' });
        sent += due;
      } catch (error) {
        logger.warn({ err: error, topic, records: due }, 'clicks could not be sent; trying on');
        await pause(clock, RETRY_MS, signal);
      }
    }
    await pause(clock, TICK_MS, signal);
  }
  return sent;
}

async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  await clock.sleep(ms, signal).catch(() => undefined);
}
