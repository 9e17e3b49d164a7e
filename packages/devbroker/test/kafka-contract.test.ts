import { afterAll } from '@jest/globals';
import { kafkaContract } from '../../kafka/test/kafka-contract.ts';
import { type DevBroker, startDevBroker } from '../src/index.ts';

let broker: DevBroker | undefined;

afterAll(async () => {
  await broker?.close();
});

kafkaContract('the embedded broker', async () => {
  broker = await startDevBroker();
  return { brokers: broker.brokers, logCleaning: false };
});
