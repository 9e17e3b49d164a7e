import { spawnSync } from 'node:child_process';
import { expect, it } from '@jest/globals';
import { isAlive } from './is-alive.ts';

it('tells processes that are there from those that have ended', () => {
  expect([isAlive(process.pid), isAlive(1)]).toEqual([true, true]);
  expect(isAlive(spawnSync('true').pid)).toBe(false);
});
