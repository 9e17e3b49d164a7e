import type { ClientDuplexStream } from '@grpc/grpc-js';
import { systemClock, type Timer } from '@millrace/common';
import {
  BLOCKS,
  type BlocksHandlers,
  type ClientChannel,
  clientChannel,
  createWireServer,
  type DriverMessage,
  type ExecutorMessageInit,
  hello,
  type LaunchTask,
  type RegisterInit,
  type TaskEndedInit,
  type WireServer,
  writeChunks,
} from '@millrace/proto';

export interface FakeExecutorOptions {
  readonly address: string;
  readonly id: string;
  readonly token?: string;
  readonly slots?: number;
  readonly register?: Partial<RegisterInit>;
  /** The outcome of a task; undefined: none, ever. */
  readonly run?: (launch: LaunchTask) => Omit<TaskEndedInit, 'key' | 'slot'> | undefined;
  readonly silent?: boolean;
}

/** An executor that speaks the protocol and runs nothing. */
export class FakeExecutor {
  readonly launched: LaunchTask[] = [];
  readonly received: DriverMessage[] = [];
  readonly channel: ClientChannel;
  readonly #stream: ClientDuplexStream<ExecutorMessageInit, DriverMessage>;
  readonly #options: FakeExecutorOptions;
  #beat: Timer | undefined;
  ended = false;

  constructor(options: FakeExecutorOptions) {
    this.#options = options;
    const { address, token, id, slots = 1 } = options;
    this.channel = clientChannel({ address, token });
    this.#stream = this.channel.executorLink.attach();
    this.#stream.on('data', (message: DriverMessage) => this.#receive(message));
    this.#stream.on('error', () => this.#over());
    this.#stream.on('end', () => this.#over());
    this.#stream.write({
      register: {
        hello: hello(),
        executorId: id,
        host: 'fake-host',
        slots,
        pid: process.pid,
        blockAddress: '127.0.0.1:1',
        ...options.register,
      },
    });
    this.#stream.write({ slotsChanged: { ready: Array.from({ length: slots }, (_, index) => index) } });
    if (options.silent !== true) this.#beatLater();
  }

  get registered(): boolean {
    return this.received.some(({ message }) => message === 'registered');
  }

  send(message: ExecutorMessageInit): void {
    this.#stream.write(message);
  }

  #receive(message: DriverMessage): void {
    this.received.push(message);
    const { launch } = message;
    for (const task of launch?.tasks ?? []) {
      this.launched.push(task);
      const outcome = (this.#options.run ?? (() => ({ result: Buffer.from('done') })))(task);
      if (outcome) this.send({ ended: { tasks: [{ key: task.key, slot: task.slot, ...outcome }] } });
    }
  }

  #beatLater(): void {
    this.#beat = systemClock.schedule(200, () => {
      this.channel.executorLink.heartbeat({ executorId: this.#options.id, rssBytes: 1000 }, () => undefined);
      if (!this.ended) this.#beatLater();
    });
  }

  #over(): void {
    this.ended = true;
    this.#beat?.cancel();
  }

  /** As a process that is killed. */
  kill(): void {
    this.#over();
    this.#stream.cancel();
    this.channel.close();
  }
}

/** An executor's Blocks service that holds one block. */
export async function fakeBlocks(
  content: Uint8Array,
  token?: string,
): Promise<{ readonly server: WireServer; readonly address: string }> {
  const server = createWireServer({ host: '127.0.0.1', port: 0, token });
  const handlers: BlocksHandlers = {
    Fetch(call) {
      const [blockId] = call.request.blockIds;
      const write = writeChunks(call, content, (data, last) => ({ blockId: blockId ?? '', data, last }));
      void write.then(() => call.end());
    },
  };
  server.server.addService(BLOCKS, handlers);
  const port = await server.listen();
  return { server, address: `127.0.0.1:${port}` };
}
