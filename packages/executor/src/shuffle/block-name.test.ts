import { expect, it } from '@jest/globals';
import { blockIdOf, evictableDataset, parseBlockId, parseDropPrefix } from './block-name.ts';

it('names of blocks are read as they are written', () => {
  const bucket = { name: { shuffle: 'my app/3/1000/0/2', mapPartition: 7, attempt: 1 }, bucket: 12 };
  expect(blockIdOf(bucket)).toBe('shuffle/my app/3/1000/0/2/7-1/12');
  expect(parseBlockId(blockIdOf(bucket))).toEqual(bucket);
  // Results have the paths of their tasks for names.
  for (const other of ['app/1/1000/0/2/3/0', 'shuffle/', 'shuffle/a/7-1', ''])
    expect(parseBlockId(other)).toBeUndefined();
});

it('prefixes of batches and of persisted datasets, too', () => {
  expect(parseDropPrefix('shuffle/app/3/1000/')).toEqual({ application: 'app', epoch: 3, batchTime: 1000 });
  expect(parseDropPrefix('shuffle/app/3/kept-12/')).toEqual({ kept: 'app/3/kept-12/' });
  expect(parseDropPrefix('shuffle/app/3/cache-1/')).toEqual({ kept: 'app/3/cache-1/' });
  for (const other of [
    '',
    'shuffle/',
    'shuffle/app/3/',
    'shuffle/app/3/1000',
    'app/3/1000/',
    'shuffle/app/3/kept-/',
  ])
    expect(parseDropPrefix(other)).toBeUndefined();
});

it('only files of datasets that may be given up name one', () => {
  expect(evictableDataset('app/3/cache-7/1000/0/2/7-1')).toBe('app/3/cache-7/');
  for (const other of ['app/3/kept-7/1000/0/2/7-1', 'app/3/1000/0/2/7-1', 'cache-7/3/1000/0/2/7-1'])
    expect(evictableDataset(other)).toBeUndefined();
});
