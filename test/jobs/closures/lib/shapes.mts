/** A generic class, a const enum and values that another module uses. */
export class Lru<K, V> {
  private readonly entries = new Map<K, V>();
  static readonly made: string[] = [];

  constructor(readonly max: number) {
    Lru.made.push('lru');
  }

  get(key: K): V | undefined {
    return this.entries.get(key);
  }

  put(key: K, value: V): this {
    this.entries.set(key, value);
    if (this.entries.size > this.max) this.entries.delete(this.entries.keys().next().value as K);
    return this;
  }
}
export enum Weekday {
  Monday = 1,
  Friday = Monday + 4,
}
export const { first, nested: [second = 2] = [] }: { first: number; nested?: number[] } = { first: 1 };
export { Weekday as Day };
export default class {
  who(): string {
    return 'anonymous';
  }
}
