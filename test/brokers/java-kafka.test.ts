import { existsSync } from 'node:fs';
import { afterAll, describe, expect, it } from '@jest/globals';
import { javaConsoleConsumer, javaConsoleProducer } from './java-console.ts';
import { type JavaKafka, startJavaKafka } from './java-kafka.ts';
import { kafkaJars } from './kafka-jars.ts';

const jars = await kafkaJars();
const suite = jars.ok ? describe : describe.skip;
const why = jars.ok ? '' : ` (skipped: ${jars.reason})`;

let kafka: JavaKafka | undefined;

afterAll(async () => {
  await kafka?.stop();
});

suite(`a private Apache Kafka for fault tests${why}`, () => {
  it('keeps its data and its port over a kill -9, and leaves nothing behind when it is stopped', async () => {
    kafka = await startJavaKafka({ properties: { 'auto.create.topics.enable': 'true' }, heapMb: 512 });
    const target = { brokers: kafka.brokers, topic: 'kept' };
    await javaConsoleProducer({ ...target, lines: ['a', 'b', 'c'] });
    const { pid } = kafka;
    await kafka.kill();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    await kafka.start();
    expect(kafka.pid).not.toBe(pid);
    expect(kafka.brokers).toBe(target.brokers);
    expect(await javaConsoleConsumer({ ...target, maxMessages: 3 })).toEqual(['a', 'b', 'c']);
    await kafka.stop();
    expect(existsSync(kafka.dataDirectory)).toBe(false);
    expect(() => process.kill(kafka?.pid ?? 0, 0)).toThrow('ESRCH');
    kafka = undefined;
  }, 120_000);
});
