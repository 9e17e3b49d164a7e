import { describe, expect, it } from '@jest/globals';
import { BUNDLE_BYTES_MAX, packBundle, unpackBundle } from './bundle-archive.ts';
import { contentHash } from './content-hash.ts';

const file = (path: string, text = '') => ({ path, content: new TextEncoder().encode(text) });

describe('program archives', () => {
  it('give back every file, byte for byte', () => {
    const files = [file('job.mjs', 'export default 1'), file('closures/ü 😀.mjs', 'é'), file('empty')];
    const back = unpackBundle(packBundle(files)).map(({ path, content }) => [
      path,
      Buffer.from(content).toString(),
    ]);
    expect(back).toEqual([
      ['closures/ü 😀.mjs', 'é'],
      ['empty', ''],
      ['job.mjs', 'export default 1'],
    ]);
  });

  it('have one hash for equal files in any order', () => {
    const [a, b] = [file('a', '1'), file('b', '2')];
    expect(contentHash(packBundle([a, b]))).toBe(contentHash(packBundle([b, a])));
    expect(contentHash(packBundle([a]))).not.toBe(contentHash(packBundle([b])));
  });

  it.each(['', '/etc/passwd', '../x', 'a/../../x', 'a//b', './a', 'a/.', 'C:/x', 'a\\b', 'a\0b', 'a/'])(
    'refuse the path %j on both sides',
    (path) => {
      expect(() => packBundle([file(path)])).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
      const forged = Buffer.from(packBundle([file('p'.repeat(path.length || 1))]));
      if (path === '') return;
      Buffer.from(path).copy(forged, forged.indexOf('p'.repeat(path.length)));
      expect(() => unpackBundle(forged)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
    },
  );

  it('refuse two files of one path', () => {
    expect(() => packBundle([file('a'), file('a')])).toThrow(
      expect.objectContaining({ code: 'BAD_REQUEST' }),
    );
  });

  it('refuse what is no archive, and what is too large', () => {
    for (const bytes of [
      new Uint8Array(),
      new TextEncoder().encode('not an archive'),
      packBundle([]).slice(1),
    ])
      expect(() => unpackBundle(bytes)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
    expect(() => unpackBundle(new Uint8Array(BUNDLE_BYTES_MAX + 1))).toThrow(
      expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }),
    );
  });
});
