import { types } from 'node:util';
import { expect } from '@jest/globals';

// Jest calls any two invalid dates different: a generator that makes one fails what is right.
expect.addEqualityTesters([
  (left, right) =>
    types.isDate(left) && types.isDate(right) && Number.isNaN(+left) && Number.isNaN(+right)
      ? true
      : undefined,
]);
