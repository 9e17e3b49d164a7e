/** The driver's side of the tests: evaluates the driver bundle in argv[2] and runs its cases; prints the outcomes. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  captureClosure,
  HANDLE,
  type JobManifest,
  loadManifest,
  loadSourceMaps,
  mapStack,
  millraceResolveHook,
} from '@millrace/closures';
import { MillraceError } from '@millrace/common';
import type { CaseOutcome, Cases, Harness, SlotReply } from './harness.ts';

const dir = process.argv[2] ?? '';
millraceResolveHook();
loadManifest(JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8')) as JobManifest);

const maps = loadSourceMaps(
  ['closures', 'driver'].map((name) => {
    const path = name === 'driver' ? 'maps/driver.mjs.map' : 'maps/executor/closures.mjs.map';
    return { path, content: readFileSync(join(dir, path)) };
  }),
);
const slot = fork(join(import.meta.dirname, 'slot-process.ts'), [dir], { serialization: 'advanced' });
await once(slot, 'message');
const waiting = new Map<number, PromiseWithResolvers<unknown>>();
const broadcasts: Record<string, unknown> = {};
const accumulators = new Map<string, { value: number }>();
slot.on('message', ({ id, value, error, sums }: SlotReply) => {
  for (const [key, sum] of Object.entries(sums)) {
    const accumulator = accumulators.get(key);
    if (accumulator !== undefined) accumulator.value += sum;
  }
  const call = waiting.get(id);
  if (error === undefined) call?.resolve(value);
  else call?.reject(Object.assign(new Error(error.message), { slotStack: error.stack }));
});

let calls = 0;
const harness: Harness = {
  ship(fn) {
    const { bytes } = captureClosure(fn);
    return (...args) => {
      const id = calls++;
      const reply = Promise.withResolvers<unknown>();
      waiting.set(id, reply);
      slot.send({ id, bytes, args, broadcasts });
      return reply.promise;
    };
  },
  async both(fn, ...args) {
    const shipped = harness.ship(fn)(...structuredClone(args));
    const here: unknown = await fn(...(args as never[]));
    return [here, await shipped];
  },
  refusal(fn) {
    try {
      captureClosure(fn);
      return 'accepted';
    } catch (error) {
      return MillraceError.is(error) ? `${error.code}: ${error.message}` : `not coded: ${String(error)}`;
    }
  },
  async stackOf(fn, ...args) {
    try {
      return `nothing was thrown: ${String(await harness.ship(fn)(...args))}`;
    } catch (error) {
      return mapStack((error as { slotStack: string }).slotStack, maps);
    }
  },
  broadcast(value) {
    const id = `b${Object.keys(broadcasts).length}`;
    broadcasts[id] = value;
    return Object.defineProperty({ value }, HANDLE, { value: { kind: 'broadcast', id } });
  },
  accumulator() {
    const id = `a${accumulators.size}`;
    const state = {
      value: 0,
      add(value: number) {
        state.value += value;
      },
    };
    accumulators.set(id, state);
    return Object.defineProperty(state, HANDLE, { value: { kind: 'accumulator', id } });
  },
  forbidden(name) {
    const value = { [name]: class {} }[name] as new () => object;
    return Object.defineProperty(new value(), HANDLE, {
      value: { forbid: `the ${name} exists only on the driver`, fix: () => 'collect the data first' },
    });
  },
  capture: captureClosure,
  slotPid: () => slot.pid ?? 0,
};

async function outcome(name: string, { run, expect, refuses }: Cases[string]): Promise<CaseOutcome> {
  try {
    const actual: unknown = await run(harness);
    if (refuses !== undefined) {
      return {
        name,
        actual: refuses.test(String(actual)) ? 'refused as expected' : actual,
        expected: 'refused as expected',
      };
    }
    if (expect !== undefined) return { name, actual, expected: expect };
    const [here, there] = actual as [unknown, unknown];
    return { name, actual: there, expected: here };
  } catch (error) {
    const { stack, slotStack } = error as Error & { slotStack?: string };
    return {
      name,
      actual: `${stack}${slotStack === undefined ? '' : `\n${slotStack}`}`,
      expected: expect ?? 'no error',
    };
  }
}

const { default: cases } = (await import(pathToFileURL(join(dir, 'driver.mjs')).href)) as { default: Cases };
const outcomes: CaseOutcome[] = [];
for (const [name, one] of Object.entries(cases)) outcomes.push(await outcome(name, one));
writeFileSync(join(dir, 'outcomes.json'), JSON.stringify(outcomes));
process.exit(0);
