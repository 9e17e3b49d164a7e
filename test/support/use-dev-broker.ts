import { afterAll, beforeAll } from '@jest/globals';
import { resolveConfig } from '@millrace/common';
import { type DevBroker, type DevBrokerOptions, startDevBroker } from '@millrace/devbroker';
import { connectKafka, KAFKA_OPTIONS, type KafkaClient } from '@millrace/kafka';

export interface DevBrokerOfFile {
  readonly broker: DevBroker;
  readonly client: KafkaClient;
}

/** Call it at the top of a test file, before its own `beforeAll`: an embedded broker of the file's own, and a client of it. */
export function useDevBroker(options: DevBrokerOptions = {}): DevBrokerOfFile {
  let started: DevBrokerOfFile | undefined;
  beforeAll(async () => {
    const broker = await startDevBroker(options);
    const client = connectKafka(resolveConfig(KAFKA_OPTIONS, { brokers: broker.brokers }, 'test'));
    started = { broker, client };
  });
  afterAll(async () => {
    await started?.client.close();
    await started?.broker.close();
  });
  const there = (): DevBrokerOfFile => {
    if (started === undefined) throw new Error('the broker is there from beforeAll on');
    return started;
  };
  return {
    get broker() {
      return there().broker;
    },
    get client() {
      return there().client;
    },
  };
}
