import { corruptState } from '@millrace/proto/task';
import type { StateFile, StateFiles } from '../state/state-files.ts';

/** A disk in memory, for keyed state. */
export class MemoryStateFiles implements StateFiles {
  readonly where = '/memory/state';
  readonly contents = new Map<string, Uint8Array>();
  /** Files with something that is not durable. */
  readonly #unsynced = new Set<string>();
  /** Called before each write; what it throws is the disk's error. */
  fault: (() => void) | undefined;

  get unsynced(): readonly string[] {
    return [...this.#unsynced];
  }

  list(): readonly string[] {
    return [...this.contents.keys()];
  }

  create(name: string): StateFile {
    this.fault?.();
    if (this.contents.has(name)) throw new Error(`EEXIST: ${name}`);
    this.contents.set(name, new Uint8Array());
    return {
      append: (bytes) => {
        this.fault?.();
        this.contents.set(name, Buffer.concat([this.contents.get(name) ?? new Uint8Array(), bytes]));
        this.#unsynced.add(name);
      },
      sync: async () => void this.#unsynced.delete(name),
      close: () => undefined,
    };
  }

  read(name: string, offset: number, bytes: number): Uint8Array {
    const content = this.contents.get(name);
    if (!content || content.length <= offset) throw corruptState(name, 'there is none');
    return content.subarray(offset, offset + bytes);
  }

  size(name: string): number | undefined {
    return this.contents.get(name)?.length;
  }

  remove(name: string): void {
    this.contents.delete(name);
  }
}
