'use executor';
// One of each process: executors load this module by themselves, with the decorators, private fields and packages that it may use.
import { randomUUID } from 'node:crypto';

class Registry {
  readonly #id = randomUUID();
  #uses = 0;

  use(): readonly [id: string, uses: number, pid: number] {
    return [this.#id, ++this.#uses, process.pid];
  }
}

export const registry = new Registry();
