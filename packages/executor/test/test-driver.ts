import type { ServerDuplexStream, ServerWritableStream } from '@grpc/grpc-js';
import { MillraceError, systemClock } from '@millrace/common';
import {
  type ChunkInit,
  contentHash,
  createWireServer,
  type DriverMessageInit,
  EXECUTOR_LINK,
  type ExecutorMessage,
  encodeStage,
  encodeTask,
  failCall,
  type GetRequest,
  type HeartbeatRequest,
  type LaunchTaskInit,
  PROGRAMS,
  packBundle,
  type Register,
  type StageMessage,
  type TaskEnded,
  type TaskKey,
  type TaskMessage,
  unaryHandler,
  type WireServer,
  writeChunks,
} from '@millrace/proto';

type Link = ServerDuplexStream<ExecutorMessage, DriverMessageInit>;

/** A driver of a few lines: it registers whoever comes, launches what it is told to and remembers what it hears. */
export class TestDriver {
  readonly heartbeats: { readonly at: number; readonly request: HeartbeatRequest }[] = [];
  readonly registers: Register[] = [];
  readonly readySlots: (readonly number[])[] = [];
  /** Executors that said good-bye. */
  left = 0;
  readonly ended: TaskEnded[] = [];
  readonly fetched: string[] = [];
  readonly contents = new Map<string, Uint8Array>();
  readonly #server: WireServer;
  readonly #driverId: string;
  readonly #waiting = new Set<() => void>();
  #link: Link | undefined;
  #knows = true;
  port = 0;

  constructor(options: { readonly port?: number; readonly token?: string; readonly driverId?: string } = {}) {
    this.#driverId = options.driverId ?? 'd-1';
    this.#server = createWireServer({ host: 'localhost', port: options.port ?? 0, token: options.token });
    this.#server.server.addService(EXECUTOR_LINK, {
      Attach: (link: Link) => this.#attach(link),
      Heartbeat: unaryHandler((request: HeartbeatRequest) => {
        this.heartbeats.push({ at: systemClock.monotonic(), request });
        this.#notify();
        return { known: this.#knows };
      }),
    });
    this.#server.server.addService(PROGRAMS, {
      Get: (call: ServerWritableStream<GetRequest, ChunkInit>) => {
        const { hash } = call.request;
        this.fetched.push(hash);
        const content = this.contents.get(hash);
        if (!content) return failCall(call, new MillraceError('PROGRAM_MISSING', `no content ${hash}`));
        writeChunks(call, content, (data) => ({ data })).then(
          () => call.end(),
          (error: unknown) => failCall(call, error),
        );
      },
    });
  }

  async listen(): Promise<string> {
    this.port = await this.#server.listen();
    return `localhost:${this.port}`;
  }

  async close(): Promise<void> {
    await this.#server.close();
  }

  /** Answers heartbeats with known = false from now on, until somebody registers. */
  forget(): void {
    this.#knows = false;
  }

  dropLink(): void {
    this.#link?.end();
  }

  send(message: DriverMessageInit): void {
    this.#link?.write(message);
  }

  /** Puts content; its hash. */
  put(content: Uint8Array): string {
    const hash = contentHash(content);
    this.contents.set(hash, content);
    return hash;
  }

  /** A program that any executor can fetch; its hash. */
  program(name = 'p'): string {
    return this.put(packBundle([{ path: 'executor/closures.mjs', content: Buffer.from(`// ${name}`) }]));
  }

  async task(launch: LaunchTaskInit): Promise<TaskEnded> {
    this.send({ launch: { tasks: [launch] } });
    return this.outcomeOf(launch.key as TaskKey);
  }

  outcomeOf(key: TaskKey): Promise<TaskEnded> {
    const isIt = (ended: TaskEnded): boolean =>
      ended.key?.partition === key.partition &&
      ended.key.attempt === key.attempt &&
      ended.key.batchTime === key.batchTime;
    return this.until(() => this.ended.find(isIt), `the end of task ${key.partition}`);
  }

  /** What `find` finds, as soon as it does. */
  async until<T>(find: () => T | undefined | false, what: string, ms = 20_000): Promise<T> {
    const deadline = systemClock.monotonic() + ms;
    for (;;) {
      const found = find();
      if (found !== undefined && found !== false) return found;
      const left = deadline - systemClock.monotonic();
      if (left <= 0) throw new Error(`waited ${ms} ms for ${what}`);
      await new Promise<void>((resolve) => {
        const timer = systemClock.schedule(Math.min(left, 50), resolve);
        this.#waiting.add(() => {
          timer.cancel();
          resolve();
        });
      });
    }
  }

  #attach(link: Link): void {
    link.on('data', (message: ExecutorMessage) => {
      if (message.register) {
        this.registers.push(message.register);
        this.#link = link;
        this.#knows = true;
        link.write({
          registered: { driverId: this.#driverId, heartbeatIntervalMs: 100, executorTimeoutMs: 2_000 },
        });
      } else if (message.ended) this.ended.push(...message.ended.tasks);
      else if (message.slotsChanged) this.readySlots.push(message.slotsChanged.ready);
      else if (message.left) this.left++;
      this.#notify();
    });
    link.on('error', () => undefined);
    link.on('end', () => link.end());
  }

  #notify(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

let partitions = 0;

/** A task that runs `source` (a function text: ({ records, input, signal, task }) → value) over views-3 [100, 110). */
export function launchOf(
  source: string,
  programHash: string,
  given: Partial<LaunchTaskInit> = {},
): LaunchTaskInit & { readonly key: TaskKey } {
  const partition = ++partitions;
  const key: TaskKey = {
    application: 'app',
    epoch: 1,
    batchTime: 1000,
    job: 0,
    stage: 0,
    partition,
    attempt: 0,
  };
  const stage: StageMessage = {
    pipelines: [
      {
        source: {
          kind: 'kafka',
          kafka: {
            clientJson: '{}',
            groupId: 'g',
            isolation: 'read_committed',
            key: { name: 'bytes', nullable: true },
            value: { name: 'bytes', nullable: true },
          },
        },
        operators: [],
      },
    ],
    action: {
      kind: 'foreach',
      closures: [{ hash: 'h', snapshot: Buffer.from(source), place: 'job.ts:1:1' }],
      numbers: [],
      place: 'job.ts:1:1',
    },
    ranges: [],
    batchIntervalMs: 1000,
  };
  const range = { topic: 'views', partition: 3, fromOffset: 100, untilOffset: 110, topicId: '' };
  const task: TaskMessage = { pipeline: 0, input: { kind: 'range', range }, broadcasts: [] };
  return {
    slot: 0,
    programHash,
    stage: encodeStage(stage),
    task: encodeTask(task),
    timeoutMs: 20_000,
    describes: 'views-3 [100, 110)',
    ...given,
    key: { ...key, ...given.key } as TaskKey,
  };
}
