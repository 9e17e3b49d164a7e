import { type Clock, type Logger, withDeadline } from '@millrace/common';
import type { KafkaClient, KafkaOptions } from '@millrace/kafka';

const CLOSE_TIMEOUT_MS = 5_000;

/** One client for each distinct set of options. */
export class KafkaClients {
  readonly #connect: (options: KafkaOptions) => KafkaClient;
  readonly #clients = new Map<string, KafkaClient>();

  constructor(connect: (options: KafkaOptions) => KafkaClient) {
    this.#connect = connect;
  }

  get(options: KafkaOptions): KafkaClient {
    const key = JSON.stringify(options);
    const client = this.#clients.get(key) ?? this.#connect(options);
    this.#clients.set(key, client);
    return client;
  }

  /** Never rejects: what cannot be closed in time goes with the process. */
  async close(clock: Clock, logger: Logger): Promise<void> {
    const clients = [...this.#clients.values()];
    this.#clients.clear();
    const closed = Promise.allSettled(clients.map((client) => client.close()));
    await withDeadline(closed, CLOSE_TIMEOUT_MS, 'closing Kafka connections', clock).catch((error: unknown) =>
      logger.warn({ err: error }, 'Kafka connections did not close in time'),
    );
  }
}
