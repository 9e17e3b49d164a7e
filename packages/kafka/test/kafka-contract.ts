import { afterAll, beforeAll, describe } from '@jest/globals';
import { ContractKit, type KafkaUnderTest, TIMEOUT_MS } from './contract-kit.ts';
import { readsContract } from './contract-reads.ts';
import { recordsContract } from './contract-records.ts';
import { streamsContract } from './contract-streams.ts';
import { topicsContract } from './contract-topics.ts';
import { transactionsContract } from './contract-transactions.ts';

export type { KafkaUnderTest } from './contract-kit.ts';

/** What every Kafka that Millrace runs on must do with our client: run against a real one and the embedded one. */
export function kafkaContract(name: string, connect: () => KafkaUnderTest | Promise<KafkaUnderTest>): void {
  describe(`Kafka contract: ${name}`, () => {
    let kit: ContractKit;
    beforeAll(async () => {
      kit = new ContractKit(await connect());
    }, TIMEOUT_MS);
    afterAll(async () => kit?.close(), TIMEOUT_MS);
    const kitOf = (): ContractKit => kit;
    topicsContract(kitOf);
    recordsContract(kitOf);
    streamsContract(kitOf);
    readsContract(kitOf);
    transactionsContract(kitOf);
  });
}
