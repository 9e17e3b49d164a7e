import { describe, it } from '@jest/globals';
import { kafkaContract } from './kafka-contract.ts';

const brokers = process.env['KAFKA_TEST_BROKERS'];

if (brokers === undefined || brokers === '') {
  describe('Kafka contract', () => {
    it.skip('is skipped: set KAFKA_TEST_BROKERS=host:port to run it against a Kafka', () => {});
  });
} else {
  const complete = process.env['KAFKA_TEST_KIND'] !== 'embedded';
  kafkaContract(brokers, () => ({ brokers, logCleaning: complete }));
}
