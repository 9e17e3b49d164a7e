// Stands for a package from npm: the tests put it into node_modules.
const square = (x) => x * x;

export function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export class Spread {
  constructor(values) {
    this.values = values;
  }
  variance() {
    const middle = mean(this.values);
    return mean(this.values.map((value) => square(value - middle)));
  }
}
