import { EventEmitter } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { systemClock } from '@millrace/common';
import type { ClientChannel } from '@millrace/proto';
import { encodeStateSection, type StateSectionRef } from '@millrace/proto/task';
import { programsHandlers } from '../../packages/driver/src/cluster/programs-service.ts';
import { stateFetcher } from '../../packages/executor/src/state/state-fetch.ts';
import { until } from '../support/until.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-state-chain-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A snapshot and 99 deltas, each in a file of its own; the newest last. */
function chain(): { readonly refs: readonly StateSectionRef[]; readonly files: Map<string, Uint8Array> } {
  const files = new Map<string, Uint8Array>();
  const refs: StateSectionRef[] = [];
  for (let index = 0; index < 100; index++) {
    const previous = refs.at(-1);
    const section = encodeStateSection(
      {
        application: 'a',
        operator: 'totals',
        partition: 0,
        layout: 'hash/1',
        valueVersion: 0,
        kind: previous ? 'delta' : 'snapshot',
        version: `v${index}`,
        ...(previous && { previous }),
        epoch: 1,
        batchTime: index,
        keys: 0,
        changed: 0,
        removed: 0,
      },
      [new Uint8Array(index === 70 ? 3_000_000 : index * 100).fill(index)],
    );
    const file = `${index}.state`;
    const padding = new Uint8Array(index);
    files.set(file, Buffer.concat([padding, section]));
    refs.push({ file, offset: index, bytes: section.length, version: `v${index}` });
  }
  return { refs, files };
}

/** The executor's side on the driver's, without a network. */
function fetcher(files: ReadonlyMap<string, Uint8Array>) {
  const calls: string[] = [];
  const handlers = programsHandlers(
    async () => undefined,
    async (_application, file, offset, bytes) =>
      (files.get(file) as Uint8Array).subarray(offset, offset + bytes),
  );
  const getState = (request: { readonly file: string }) => {
    calls.push(request.file);
    const chunks: { readonly data: Uint8Array }[] = [];
    const ended = Promise.withResolvers<void>();
    const call = Object.assign(new EventEmitter(), {
      request,
      write: (chunk: { readonly data: Uint8Array }) => chunks.push(chunk) > 0,
      end: () => ended.resolve(),
    });
    call.on('error', ended.reject);
    handlers.GetState(call as unknown as Parameters<typeof handlers.GetState>[0]);
    async function* received() {
      await ended.promise;
      yield* chunks;
    }
    return Object.assign(received(), { cancel: () => undefined });
  };
  const channel = { programs: { getState } } as unknown as ClientChannel;
  return { calls, fetch: stateFetcher({ channel, directory, clock: systemClock }) };
}

it('a snapshot and the 99 deltas on it come in one call, and go when they are given back', async () => {
  const { refs, files } = chain();
  const { calls, fetch } = fetcher(files);
  const [newest, ...below] = refs.toReversed() as [StateSectionRef, ...StateSectionRef[]];
  const first = await fetch('a', newest, { until: undefined });
  const rest = await Promise.all(below.map((ref) => fetch('a', ref, { until: undefined })));
  expect(calls).toEqual([newest.file]);
  for (const [index, { path, offset }] of [first, ...rest].entries()) {
    const { file, offset: from, bytes } = refs.at(-1 - index) as StateSectionRef;
    const section = readFileSync(path).subarray(offset, offset + bytes);
    expect(section.equals(Buffer.from(files.get(file) as Uint8Array).subarray(from, from + bytes))).toBe(
      true,
    );
  }
  first.release();
  first.release();
  for (const section of rest.slice(1)) section.release();
  expect(existsSync(first.path)).toBe(true);
  rest[0]?.release();
  await until('nothing is left', () => !existsSync(first.path));
  // It is not here any more: asked for again, it is fetched again.
  (await fetch('a', below[0] as StateSectionRef)).release();
  expect(calls).toHaveLength(2);
});

it('only what stands on the version that is here already comes along', async () => {
  const { refs, files } = chain();
  const { calls, fetch } = fetcher(files);
  const newest = refs[50] as StateSectionRef;
  const local = await fetch('a', newest, { until: 'v47' });
  const bytes = [50, 49, 48].reduce((sum, index) => sum + (refs[index]?.bytes ?? 0), 0);
  expect(readFileSync(local.path)).toHaveLength(bytes);
  await fetch('a', refs[48] as StateSectionRef, { until: 'v47' });
  expect(calls).toHaveLength(1);
  const alone = await fetch('a', refs[47] as StateSectionRef);
  expect(readFileSync(alone.path)).toHaveLength(refs[47]?.bytes ?? 0);
});
