'use executor';
export class Counter {
  n = 0;
  pid = process.pid;
  next() {
    return ++this.n;
  }
}
export const counter = new Counter();
