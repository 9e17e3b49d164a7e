import { describe, expect, it } from '@jest/globals';
import { GraphNode } from '../capture/graph-node.ts';
import { writeSnapshot } from '../capture/snapshot-writer.ts';
import { NodeTag } from '../snapshot/snapshot-format.ts';
import { createProgram } from './program.ts';
import type { ReviveContext } from './reviver.ts';

type Table = Map<string, number>;
type Made = readonly [new () => object, Table];

/** class C { static table = table }, made once; D likewise but made often; a lambda that gives a class and the table. */
const classOf = (table: unknown) =>
  class {
    static readonly table = table;
    readonly made = true;
  };
const program = () =>
  createProgram({
    factories: {
      once: { single: true, make: (table) => classOf(table) },
      often: { make: (table) => classOf(table) },
      lambda: { make: (owner, table) => () => [owner, table] },
    },
    imports: {},
  });

function node(tag: NodeTag, values: unknown[]): GraphNode {
  const graphNode = new GraphNode(tag, undefined);
  graphNode.values = values;
  return graphNode;
}

function snapshot(classId: string, entry: number, lead: readonly unknown[] = []): Uint8Array {
  const table = node(NodeTag.Map, ['a', entry]);
  const owner = node(NodeTag.Class, [classId, undefined, undefined, table]);
  return writeSnapshot(node(NodeTag.Closure, ['lambda', owner, table, ...lead])).bytes;
}

const context = (): ReviveContext => ({
  broadcast: () => ({ value: undefined }),
  accumulator: () => ({ add: () => undefined }),
});

async function made(of: ReturnType<typeof program>, bytes: Uint8Array, within: ReviveContext): Promise<Made> {
  return (await of.revive(bytes, within))() as Made;
}

describe('classes of the lambdas of one task', () => {
  it('are one class, with what they capture, when their module makes them once', async () => {
    const loaded = program();
    const task = context();
    const [first, table] = await made(loaded, snapshot('once', 1), task);
    // Something else is captured before: the nodes have other numbers.
    const [second, again] = await made(loaded, snapshot('once', 1, [node(NodeTag.Array, [7])]), task);
    expect(second).toBe(first);
    expect(again).toBe(table);
    table.set('b', 2);
    expect((second as unknown as { table: Table }).table).toBe(again);
  });

  it('are apart in another task, when their captures differ, and when a function makes them', async () => {
    const loaded = program();
    const task = context();
    const [first] = await made(loaded, snapshot('once', 1), task);
    expect((await made(loaded, snapshot('once', 1), context()))[0]).not.toBe(first);
    expect((await made(loaded, snapshot('once', 2), task))[0]).not.toBe(first);
    const [often] = await made(loaded, snapshot('often', 1), task);
    expect((await made(loaded, snapshot('often', 1), task))[0]).not.toBe(often);
  });
});
