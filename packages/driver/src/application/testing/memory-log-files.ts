import type { LogFile, LogFiles } from '../log/log-files.ts';

/** A disk in memory: what was appended is durable, unless a fault says otherwise. */
export class MemoryLogFiles implements LogFiles {
  readonly where = '/memory';
  readonly contents = new Map<string, Uint8Array>();
  /** What was set aside, by path. */
  readonly aside = new Map<string, Uint8Array>();
  /** Called before each write; what it throws is the disk's error. */
  fault: ((name: string, bytes: Uint8Array) => void) | undefined;

  list(): readonly string[] {
    return [...this.contents.keys()];
  }

  read(name: string): Uint8Array {
    const content = this.contents.get(name);
    if (!content) throw new Error(`ENOENT: ${name}`);
    return content;
  }

  create(name: string): LogFile | undefined {
    if (this.contents.has(name)) return undefined;
    this.contents.set(name, new Uint8Array());
    return this.#file(name);
  }

  publish(name: string, content: Uint8Array): LogFile {
    this.fault?.(name, content);
    this.contents.set(name, Uint8Array.from(content));
    return this.#file(name);
  }

  remove(name: string): void {
    this.contents.delete(name);
  }

  setAside(why: string): string {
    const { where } = this;
    for (const [name, content] of this.contents) this.aside.set(`${where}-${why}/${name}`, content);
    this.contents.clear();
    return `${where}-${why}`;
  }

  /** What a crash leaves: an independent copy. */
  copy(): MemoryLogFiles {
    const copy = new MemoryLogFiles();
    for (const [name, content] of this.contents) copy.contents.set(name, Uint8Array.from(content));
    return copy;
  }

  #file(name: string): LogFile {
    return {
      append: (bytes) => {
        this.fault?.(name, bytes);
        const before = this.contents.get(name);
        // A removed file stays writable for who has it open.
        if (before) this.contents.set(name, Buffer.concat([before, bytes]));
      },
      close() {},
    };
  }
}
