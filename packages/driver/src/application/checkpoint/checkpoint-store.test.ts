import { describe, expect, it } from '@jest/globals';
import { checkpointLocation } from './checkpoint-store.ts';

describe('the location of checkpoints', () => {
  it('is a directory, or what a connection string says', () => {
    expect(checkpointLocation('directory', {})).toBe('directory');
    expect(checkpointLocation('env:STORE', { STORE: 'postgres://m@db:5432/m' })).toBe(
      'postgres://m@db:5432/m',
    );
  });

  it.each(['postgres://m@db:x/m', 'mysql://m@db/m', 'env:NONE', 'file:/none/such'])('is not %s', (given) => {
    expect(() => checkpointLocation(given, {})).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});
