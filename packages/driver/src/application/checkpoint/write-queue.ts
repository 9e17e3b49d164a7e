/** Writes that are made one after the other, behind the back of who asks for them. After one that fails none is made. */
export class WriteQueue {
  #tail: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  push(write: () => Promise<void>): void {
    this.#tail = this.#after(this.#tail, write);
  }

  async #after(before: Promise<void>, write: () => Promise<void>): Promise<void> {
    await before;
    if (this.#failure) return;
    try {
      await write();
    } catch (error) {
      this.#failure = { error };
    }
  }

  /** All that was pushed before is done. @throws what the first failed write threw. */
  async settled(): Promise<void> {
    await this.#tail;
    if (this.#failure) throw this.#failure.error;
  }
}
