import { type Random, randomInt } from '@millrace/common';
import {
  type ClientChannel,
  clientChannel,
  createWireServer,
  type DriverMessage,
  EXECUTOR_LINK,
  type ExecutorLinkHandlers,
  type ExecutorMessage,
  type LaunchTask,
  PROGRAMS,
  type ProgramsHandlers,
  type WireServer,
} from '@millrace/proto';

/** Results are held back for so long: those of several tasks change places. */
const HELD_MS_MAX = 120;
/** Second copies come so much later: during their batch, or when it is long over. */
const AGAIN_MS_MAX = 2_000;

type Attach = Parameters<ExecutorLinkHandlers['Attach']>[0];

/**
 * Stands between executors and their driver, and delivers badly: launches and results come twice, the second time late, and results not in
 * the order in which they were told. What else goes through is as it was.
 */
export class ReplayingLink {
  readonly tally = { launchesAgain: 0, ranAgain: 0, resultsAgain: 0, resultsOutOfOrder: 0 };
  #address = '';
  readonly #random: Random;
  readonly #driver: ClientChannel;
  readonly #server: WireServer;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #told = new Set<string>();
  #toldCount = 0;
  #passedCount = 0;

  private constructor(driverAddress: string, random: Random) {
    this.#random = random;
    this.#driver = clientChannel({ address: driverAddress });
    this.#server = createWireServer({ host: '127.0.0.1', port: 0 });
  }

  static async start(driverAddress: string, random: Random): Promise<ReplayingLink> {
    const link = new ReplayingLink(driverAddress, random);
    link.#server.server.addService(EXECUTOR_LINK, link.#executorLink);
    link.#server.server.addService(PROGRAMS, link.#programs);
    link.#address = `127.0.0.1:${await link.#server.listen()}`;
    return link;
  }

  get address(): string {
    return this.#address;
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#server.close();
    this.#driver.close();
  }

  readonly #executorLink: ExecutorLinkHandlers = {
    Heartbeat: ({ request }, callback) => {
      this.#driver.executorLink.heartbeat(request, callback);
    },
    Attach: (executor) => this.#attach(executor),
  };

  readonly #programs: ProgramsHandlers = {
    Get: (call) => {
      const source = this.#driver.programs.get(call.request);
      source.on('data', (chunk) => call.write(chunk));
      source.on('end', () => call.end());
      source.on('error', (error) => call.emit('error', error));
    },
    GetState: (call) => {
      const source = this.#driver.programs.getState(call.request);
      source.on('data', (chunk) => call.write(chunk));
      source.on('end', () => call.end());
      source.on('error', (error) => call.emit('error', error));
    },
  };

  #attach(executor: Attach): void {
    const driver = this.#driver.executorLink.attach();
    let isOpen = true;
    const over = (): void => {
      if (!isOpen) return;
      isOpen = false;
      driver.end();
      executor.end();
    };
    for (const side of [driver, executor]) {
      side.on('end', over);
      side.on('error', over);
      side.on('cancelled', over);
    }
    /** Of the launch before: a copy must not depend on what came between. */
    let stage: LaunchTask['stage'] = Buffer.alloc(0);
    const toExecutor = (message: DriverMessage): void => {
      if (isOpen) executor.write(message);
    };
    const toDriver = (message: ExecutorMessage): void => {
      if (isOpen) driver.write(message);
    };
    driver.on('data', (message: DriverMessage) => {
      const tasks = (message.launch?.tasks ?? []).map((task) => {
        if (task.stage.length > 0) stage = task.stage;
        return { ...task, stage };
      });
      if (tasks.length === 0) return toExecutor(message);
      const launch: DriverMessage = { ...message, launch: { tasks } };
      toExecutor(launch);
      if (this.#random.next() < 0.5) return;
      this.tally.launchesAgain += tasks.length;
      this.#later(randomInt(this.#random, AGAIN_MS_MAX), () => toExecutor(launch));
    });
    executor.on('data', (message: ExecutorMessage) => {
      if (!message.ended) return toDriver(message);
      this.#count(message);
      const number = this.#toldCount++;
      this.#later(randomInt(this.#random, HELD_MS_MAX), () => {
        if (number < this.#passedCount) this.tally.resultsOutOfOrder += 1;
        this.#passedCount = Math.max(this.#passedCount, number);
        toDriver(message);
      });
      if (this.#random.next() < 0.5) return;
      this.tally.resultsAgain += 1;
      this.#later(HELD_MS_MAX + randomInt(this.#random, AGAIN_MS_MAX), () => toDriver(message));
    });
  }

  /** One that has told its end twice was run twice. */
  #count({ ended }: ExecutorMessage): void {
    for (const { key } of ended?.tasks ?? []) {
      const name = JSON.stringify(key);
      if (this.#told.has(name)) this.tally.ranAgain += 1;
      this.#told.add(name);
    }
  }

  #later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }
}
