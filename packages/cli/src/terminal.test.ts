import { describe, expect, it } from '@jest/globals';
import { createTerminal, type Environment, showsColor } from './terminal.ts';

describe('colours', () => {
  it.each<[boolean, Environment, boolean]>([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
    [true, { CI: 'true' }, false],
    [false, { FORCE_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '0' }, false],
    [true, { FORCE_COLOR: '1', NO_COLOR: '1', CI: '1' }, true],
  ])('terminal %s with %j: %s', (isTTY, env, shown) => {
    expect(showsColor(isTTY, env)).toBe(shown);
  });

  it('are decided for each stream by itself', () => {
    const stream = (isTTY: boolean) => ({ isTTY, write: () => true });
    const terminal = createTerminal(stream(false), stream(true), {});
    expect(terminal.style('out', 'red', 'x')).toBe('x');
    expect(terminal.style('err', 'red', 'x')).toBe('\u001b[31mx\u001b[39m');
  });
});
