import { PassThrough } from 'node:stream';
import { expect, it } from '@jest/globals';
import { manualClock } from '../../test/manual-clock.ts';
import { forwardLines } from './output-lines.ts';

async function forward(write: (stream: PassThrough, clock: ReturnType<typeof manualClock>) => void) {
  const stream = new PassThrough();
  const clock = manualClock();
  const lines: string[] = [];
  const dropped: number[] = [];
  forwardLines(
    stream,
    (line) => lines.push(line),
    (count) => dropped.push(count),
    clock,
  );
  write(stream, clock);
  stream.end();
  await new Promise((resolve) => stream.on('close', resolve));
  return { lines, dropped };
}

it('forwards lines, whatever the pieces they arrive in', async () => {
  const text = Buffer.from('ü😀 one\ntwo\n\nthree');
  const { lines } = await forward((stream) => {
    for (const byte of text) stream.write(Buffer.from([byte]));
  });
  expect(lines).toEqual(['ü😀 one', 'two', 'three']);
});

it('cuts an endless line once', async () => {
  const { lines } = await forward((stream) => {
    for (let i = 0; i < 100; i++) stream.write('x'.repeat(1_000));
    stream.write('\nnext\n');
  });
  expect(lines).toHaveLength(2);
  expect(lines[0]?.length).toBeLessThan(10_000);
  expect(lines[1]).toBe('next');
});

it('counts what comes too fast instead of forwarding it', async () => {
  const { lines, dropped } = await forward((stream) => stream.write('y\n'.repeat(10_000)));
  expect(lines).toHaveLength(500);
  expect(dropped).toEqual([9_500]);
});
