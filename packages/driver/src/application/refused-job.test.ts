import { describe, expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import { type World, world } from '../../test/world.ts';
import { pump } from './testing/pump.ts';
import { createEngine, stream } from './testing/run-engine.ts';

const refusal = async (setup: World): Promise<MillraceError> => {
  const { engine } = await createEngine(setup);
  const error: unknown = await pump(setup.clock, engine.validate()).catch((thrown: unknown) => thrown);
  if (!MillraceError.is(error)) throw new Error('it was not refused');
  expect(await pump(setup.clock, engine.done)).toBeDefined();
  expect(setup.files.contents.size).toBe(0);
  return error;
};

describe('a job that cannot run', () => {
  it('is refused without an output operation', async () => {
    expect(await refusal(world((ssc) => void stream(ssc, 'views')))).toMatchObject({
      code: 'NO_OUTPUT_OPERATION',
    });
  });

  it('is refused with all of its problems at once', async () => {
    const error = await refusal(
      world((ssc) => {
        stream(ssc, 'nowhere');
        stream(ssc, 'views', { startFrom: undefined });
        stream(ssc, 'views', { offsets: { 'views-1': 51 } });
        stream(ssc, 'views', { enableAutoCommit: true });
      }),
    );
    expect(error.code).toBe('JOB_INVALID');
    for (const code of ['UNKNOWN_TOPIC', 'NO_START_OFFSET', 'OFFSET_OUT_OF_RANGE', 'NO_OUTPUT_OPERATION']) {
      expect(error.message).toContain(code);
    }
    expect(error.message).toContain('auto-commit');
    expect(error.message).not.toContain('unresolved');
  });

  it('is refused in bounded time when no broker answers', async () => {
    const setup = world((ssc) => stream(ssc, 'views').foreachRDD(() => undefined));
    setup.kafka.down = true;
    expect(await refusal(setup)).toMatchObject({ code: 'KAFKA_UNREACHABLE' });
    expect(setup.clock.monotonic()).toBeLessThan(11_000);
  });
});
