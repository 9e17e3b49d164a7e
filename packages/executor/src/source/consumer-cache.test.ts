import { beforeEach, describe, expect, it } from '@jest/globals';
import type {
  KafkaClient,
  OffsetRange,
  PartitionReader,
  ReaderOptions,
  TopicPartition,
} from '@millrace/kafka';
import type { KafkaSourceMessage } from '@millrace/proto/task';
import { manualClock } from '../../test/manual-clock.ts';
import { ConsumerCache } from './consumer-cache.ts';

const log: string[] = [];
function connect(options: unknown): KafkaClient {
  const name = (options as { name: string }).name;
  log.push(`connect ${name}`);
  let readers = 0;
  return {
    reader(tp: TopicPartition, given?: ReaderOptions): PartitionReader {
      const id = `${name}/${tp.topic}-${tp.partition}#${++readers}`;
      log.push(`open ${id}${given?.topicId === undefined ? '' : ` ${given.topicId}`}`);
      return {
        read: () => {
          throw new Error('not read here');
        },
        prefetch: ({ fromOffset, untilOffset }) =>
          void log.push(`prefetch ${id} ${fromOffset}-${untilOffset}`),
        close: () => {
          log.push(`close ${id}`);
          return Promise.resolve();
        },
      };
    },
    close: () => {
      log.push(`disconnect ${name}`);
      return Promise.resolve();
    },
  } as unknown as KafkaClient;
}

const source = (name = 'a', groupId = 'g'): KafkaSourceMessage => ({
  clientJson: JSON.stringify({ name }),
  groupId,
  isolation: 'read_committed',
  key: { name: 'bytes', nullable: true },
  value: { name: 'bytes', nullable: true },
});
const range = (partition: number, topicId?: string): OffsetRange => ({
  topic: 't',
  partition,
  fromOffset: 0,
  untilOffset: 1,
  ...(topicId === undefined ? {} : { topicId }),
});

let clock: ReturnType<typeof manualClock>;
let cache: ConsumerCache;
beforeEach(() => {
  log.length = 0;
  clock = manualClock();
  cache = new ConsumerCache({ connect, clock, readersMax: 2, clientsMax: 1, idleMs: 1_000 });
});

describe('the consumer cache', () => {
  it('lends the same reader again, over one client', () => {
    const first = cache.lease(source(), range(0), 0);
    first.release(true);
    const second = cache.lease(source(), range(0), 0);
    expect([first.cached, second.cached, second.reader === first.reader]).toEqual([false, true, true]);
    expect(log).toEqual(['connect a', 'open a/t-0#1']);
  });

  it('fetches ahead with a cached reader at rest, of that very topic', () => {
    cache.prefetch(range(0));
    cache.lease(source(), range(0, 'id-1'), 0).release(true);
    cache.prefetch({ ...range(0, 'id-1'), fromOffset: 5, untilOffset: 9 });
    // Of a topic that was made anew, of another partition, and while it is read.
    cache.prefetch(range(0, 'id-2'));
    cache.prefetch(range(1, 'id-1'));
    cache.lease(source(), range(0, 'id-1'), 0);
    cache.prefetch(range(0, 'id-1'));
    expect(log).toEqual(['connect a', 'open a/t-0#1 id-1', 'prefetch a/t-0#1 5-9']);
  });

  it('makes an uncached one while the cached one is in use, and closes it afterwards', () => {
    cache.lease(source(), range(0), 0);
    const second = cache.lease(source(), range(0), 0);
    expect(second.cached).toBe(false);
    second.release(true);
    expect(log).toEqual(['connect a', 'open a/t-0#1', 'open a/t-0#2', 'close a/t-0#2']);
    expect(cache.size).toBe(1);
  });

  it('never gives a retry the reader of the attempt before, nor keeps the one of the retry', () => {
    cache.lease(source(), range(0), 0).release(true);
    const retry = cache.lease(source(), range(0), 1);
    expect(log.slice(2)).toEqual(['close a/t-0#1', 'open a/t-0#2']);
    retry.release(true);
    expect(log.at(-1)).toBe('close a/t-0#2');
    expect(cache.size).toBe(0);
  });

  it('drops a reader that did not serve well', () => {
    cache.lease(source(), range(0), 0).release(false);
    expect(log.at(-1)).toBe('close a/t-0#1');
    expect(cache.lease(source(), range(0), 0).cached).toBe(false);
  });

  it('keeps readers apart by group, topic id and client options', () => {
    cache.lease(source(), range(0, 'id-1'), 0).release(true);
    expect(cache.lease(source(), range(0, 'id-2'), 0).cached).toBe(false);
    expect(cache.lease(source('a', 'other'), range(0, 'id-1'), 0).cached).toBe(false);
    expect(cache.lease(source('b'), range(0, 'id-1'), 0).cached).toBe(false);
  });

  it('closes the least recently used reader above its bound, never one in use', () => {
    const first = cache.lease(source(), range(0), 0);
    cache.lease(source(), range(1), 0).release(true);
    cache.lease(source(), range(2), 0).release(true);
    expect(log).toContain('close a/t-1#2');
    expect(log).not.toContain('close a/t-0#1');
    first.release(true);
    expect(cache.size).toBe(2);
  });

  it('closes clients that have no readers above its bound', () => {
    cache.lease(source('a'), range(0), 0).release(false);
    cache.lease(source('b'), range(0), 0).release(true);
    expect(log).toContain('disconnect a');
    expect(log).not.toContain('disconnect b');
  });

  it('lets go of everything that was idle for long, without being asked', () => {
    cache.lease(source(), range(0), 0).release(true);
    clock.advance(1_000);
    clock.advance(1_000);
    expect(log).toEqual(['connect a', 'open a/t-0#1', 'close a/t-0#1', 'disconnect a']);
    expect([cache.size, clock.timers]).toEqual([0, 0]);
  });

  it('refuses options that are no JSON', () => {
    expect(() => cache.lease({ ...source(), clientJson: '{' }, range(0), 0)).toThrow(
      expect.objectContaining({ code: 'INTERNAL' }),
    );
  });
});
