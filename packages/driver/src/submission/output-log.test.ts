import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '@millrace/common';
import { VirtualClock } from '../../../testing/src/virtual-clock.ts';
import { tempDirectory } from '../../test/temp-directory.ts';
import { OutputLog } from './output-log.ts';

async function open(bytesMax = 1_000_000): Promise<{ log: OutputLog; path: string }> {
  const path = join(await tempDirectory(), 'logs', 'app.log');
  const log = await OutputLog.open({ path, bytesMax, clock: new VirtualClock(0), logger: silentLogger });
  return { log, path };
}
const texts = (lines: readonly string[]): string[] => lines.map((line) => line.slice(line.indexOf(' ') + 1));

describe('OutputLog', () => {
  it('gives the last lines, also those that are not on disk yet', async () => {
    const { log } = await open();
    expect(log.tail(5)).toEqual([]);
    for (const text of ['a', 'b', 'größe']) log.append(text);
    expect(texts(log.tail(2))).toEqual(['b', 'größe']);
    expect(log.tail(0)).toEqual([]);
    log.close();
  });

  it('goes on in the same file after a restart', async () => {
    const { log, path } = await open();
    log.append('before');
    log.close();
    const again = await OutputLog.open({
      path,
      bytesMax: 1000,
      clock: new VirtualClock(0),
      logger: silentLogger,
    });
    again.append('after');
    expect(texts(again.tail(10))).toEqual(['before', 'after']);
    again.close();
  });

  it('never has more than two files of its size, and a tail over both', async () => {
    const { log, path } = await open(2_000);
    for (let index = 0; index < 200; index++) {
      log.append(`line ${index}`);
      log.flush();
    }
    expect((await stat(path)).size).toBeLessThanOrEqual(2_000);
    expect((await stat(`${path}.1`)).size).toBeLessThanOrEqual(2_000);
    expect(texts(log.tail(60)).at(0)).toBe('line 140');
    log.close();
  });

  it('tells followers every line until they leave', async () => {
    const { log } = await open();
    const heard: string[] = [];
    const leave = log.follow((line) => heard.push(line));
    log.append('one');
    leave();
    log.append('two');
    expect(texts(heard)).toEqual(['one']);
    log.close();
  });
});
