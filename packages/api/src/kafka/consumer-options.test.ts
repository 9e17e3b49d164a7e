import { describe, expect, it } from '@jest/globals';
import { checkConsumerOptions } from './consumer-options.ts';

const OPTIONS = { brokers: 'localhost:9092', groupId: 'g', startFrom: 'earliest' } as const;

describe('consumer options', () => {
  it('resolve with defaults', () => {
    const { value } = checkConsumerOptions({ ...OPTIONS, offsets: { 'views-0': 5 } }, 'x');
    expect(value).toMatchObject({
      groupId: 'g',
      startFrom: 'earliest',
      isolation: 'read_committed',
      maxRecordsPerBatch: 1_000_000,
    });
    expect(value?.offsets.get('views-0')).toBe(5);
  });

  it('report all problems, refuse auto-commit and translate foreign names', () => {
    const { problems } = checkConsumerOptions(
      {
        'bootstrap.servers': 'a:1',
        'enable.auto.commit': true,
        gruopId: 'g',
        startFrom: 'beginning',
        maxRatePerPartition: 0,
        value: {},
      },
      'x',
    );
    const all = problems.join('\n');
    expect(all).toContain('"bootstrap.servers" is called "brokers" here');
    expect(all).toContain('auto-commit would lose records');
    expect(all).toContain('did you mean "groupId"?');
    expect(all).toContain("expected 'earliest', 'latest' or { timestamp: ms }");
    expect(all).toContain("expected a number above 0, or 'unlimited'");
    expect(all).toContain('expected a codec');
    expect(all).toContain('"groupId" is required');
  });

  it.each<[unknown, string]>([
    ['dead-letter', "expected 'fail', 'skip' or { deadLetterTopic: name }"],
    [{}, 'deadLetterTopic: undefined is no name of a topic'],
    [{ deadLetterTopic: 'a b' }, 'deadLetterTopic: "a b" is no name of a topic'],
    [{ deadLeterTopic: 'dead' }, 'did you mean "deadLetterTopic"?'],
  ])('refuse onDecodeError %p', (onDecodeError, problem) => {
    expect(checkConsumerOptions({ ...OPTIONS, onDecodeError }, 'x').problems.join()).toContain(problem);
  });

  it('take a dead-letter topic', () => {
    const onDecodeError = { deadLetterTopic: 'orders-dead' };
    const { value, problems } = checkConsumerOptions({ ...OPTIONS, onDecodeError }, 'x');
    expect([problems, value?.onDecodeError]).toEqual([[], onDecodeError]);
  });

  it.each([{ 'views-x': 1 }, { 'views-0': -1 }, { 'views-0': 2 ** 53 }, { 'views-0': '5' }])(
    'refuse offsets %p',
    (offsets) => {
      expect(checkConsumerOptions({ ...OPTIONS, offsets }, 'x').problems).toHaveLength(1);
    },
  );
});
