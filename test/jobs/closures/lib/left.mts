// oxlint-disable import/no-cycle -- the cycle is the case
import { Right } from './right.mts';

export class Left {
  make(): Right {
    return new Right();
  }
}
