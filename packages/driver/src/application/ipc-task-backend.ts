import { type Clock, type ErrorRecord, MillraceError, withDeadline } from '@millrace/common';
import type { HostToDriver } from '../host-protocol.ts';
import type {
  BatchKey,
  ExpectedRange,
  KeptKey,
  StageKey,
  TaskBackend,
  TaskEvent,
  TaskSet,
} from '../task-backend.ts';

const PUT_BLOB_TIMEOUT_MS = 30_000;

/** The driver's task scheduler, from inside of an application host. */
export class IpcTaskBackend implements TaskBackend {
  readonly #send: (message: HostToDriver) => void;
  readonly #clock: Clock;
  readonly #storing = new Map<string, PromiseWithResolvers<void>>();
  #listener: (event: TaskEvent) => void = () => undefined;
  /** Set by the driver's 'slots'. */
  slots: number;

  constructor(options: {
    readonly send: (message: HostToDriver) => void;
    readonly clock: Clock;
    readonly slots: number;
  }) {
    this.#send = options.send;
    this.#clock = options.clock;
    this.slots = options.slots;
  }

  submit(set: TaskSet): void {
    this.#send({ kind: 'submit', set });
  }

  prefetch(expected: readonly ExpectedRange[]): void {
    this.#send({ kind: 'prefetch', expected });
  }

  cancel(key: StageKey): void {
    this.#send({ kind: 'cancel', key });
  }

  async putBlob(hash: string, content: Uint8Array): Promise<void> {
    let storing = this.#storing.get(hash);
    if (!storing) {
      storing = Promise.withResolvers();
      this.#storing.set(hash, storing);
      this.#send({ kind: 'put-blob', hash, content });
    }
    try {
      await withDeadline(
        storing.promise,
        PUT_BLOB_TIMEOUT_MS,
        `storing blob ${hash.slice(0, 12)}`,
        this.#clock,
      );
    } finally {
      if (this.#storing.get(hash) === storing) this.#storing.delete(hash);
    }
  }

  dropBlobs(hashes: readonly string[]): void {
    for (const hash of hashes) {
      // Put again from here on, it is sent again, though the driver has not answered yet.
      this.#storing.get(hash)?.resolve();
      this.#storing.delete(hash);
    }
    this.#send({ kind: 'drop-blobs', hashes });
  }

  dropShuffle(what: BatchKey | KeptKey): void {
    this.#send({ kind: 'drop-shuffle', what });
  }

  onEvent(listener: (event: TaskEvent) => void): void {
    this.#listener = listener;
  }

  /** From the driver. */
  taskEvent(event: TaskEvent): void {
    this.#listener(event);
  }

  /** From the driver. */
  blobStored(hash: string, error: ErrorRecord | undefined): void {
    if (error) this.#storing.get(hash)?.reject(MillraceError.fromRecord(error));
    else this.#storing.get(hash)?.resolve();
  }
}
