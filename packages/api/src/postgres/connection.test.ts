import { expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import { isAway } from './connection.ts';

const coded = (code: string): Error => Object.assign(new Error('it went wrong'), { code });

it.each<[unknown, boolean]>([
  [coded('ECONNREFUSED'), true],
  [coded('EPIPE'), true],
  [coded('57P03'), true],
  [coded('08006'), true],
  [new Error('Connection terminated unexpectedly'), true],
  [new Error('timeout exceeded when trying to connect'), true],
  [coded('42P01'), false],
  [coded('25006'), false],
  [coded('28P01'), false],
  [new MillraceError('FENCED', 'the connection is of an older run'), false],
  [new TypeError('pool.connect is not a function'), false],
  [undefined, false],
])('a server is waited for, or not: %p is %p', (error, away) => {
  expect(isAway(error)).toBe(away);
});
