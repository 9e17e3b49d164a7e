// oxlint-disable import/no-cycle -- the cycle is the case
import { Left } from './left.mts';

export class Right {
  make(): Left {
    return new Left();
  }
}
export const both = (): unknown[] => [Left.name, Right.name];
