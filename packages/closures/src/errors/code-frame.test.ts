import { describe, expect, it } from '@jest/globals';
import { codeFrame } from './code-frame.ts';

describe('codeFrame', () => {
  it('shows marks with their remarks, and gaps between them', () => {
    const source = ['a', 'const b = 1', 'c', 'd', 'e', 'f', '\tuse(b)', 'g'].join('\n');
    const frame = codeFrame(source, [
      { line: 7, column: 5, length: 1, text: 'captured here', isMain: true },
      { line: 2, column: 6, length: 1, text: 'declared here', isMain: false },
    ]);
    expect(frame.split('\n')).toEqual([
      '    1 | a',
      '    2 | const b = 1',
      '      |       - declared here',
      '    3 | c',
      '      ·',
      '    6 | f',
      '  > 7 | \tuse(b)',
      '      | \t    ^ captured here',
      '    8 | g',
    ]);
  });

  it('cuts long lines around what is marked', () => {
    const line = `${'a'.repeat(5000)}HERE${'b'.repeat(5000)}`;
    const frame = codeFrame(`first\n${line}`, [
      { line: 2, column: 5000, length: 4, text: 'here', isMain: true },
    ]).split('\n');
    expect(frame[1]?.length).toBeLessThan(200);
    expect(frame[1]).toMatch(/ \| …a+HEREb+…$/);
    expect(frame[2]?.indexOf('^^^^ here')).toBe(frame[1]?.indexOf('HERE'));
  });

  it('marks what goes on in further lines to the end of its first', () => {
    const frame = codeFrame('class A {\n}', [{ line: 1, column: 6, length: 50, text: '', isMain: true }]);
    expect(frame.split('\n')[1]).toBe('      |       ^^^');
  });

  it('is empty when a mark lies outside of the text', () => {
    expect(codeFrame('a', [{ line: 9, column: 0, length: 1, text: '', isMain: true }])).toBe('');
  });
});
