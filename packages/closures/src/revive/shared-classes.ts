import { Buffer } from 'node:buffer';
import { NodeTag } from '../snapshot/snapshot-format.ts';
import { NodeReference, type SnapshotNode } from '../snapshot/snapshot-reader.ts';
import type { ProgramModule } from './program-module.ts';

/** Values of a snapshot's nodes, as far as they have been made. */
export type BuiltValues = Map<number, unknown>;

interface Home {
  readonly nodes: readonly SnapshotNode[];
  readonly index: number;
  readonly built: BuiltValues;
}

// A class whose statics the driver changes between two captures has several.
const HOMES_MAX = 8;

/**
 * The lambdas of a task are captured one by one, but a class that its module makes once is one class in all of them:
 * `map((x) => new Ok(x))` and then `filter((r) => r instanceof Ok)`. A class travels with all that it captures, so that
 * is taken over, too: a lambda that shares a table with its class still does.
 */
export class SharedClasses {
  readonly #homes = new Map<string, Home[]>();

  /** Before anything of `nodes` is made: takes over the classes that are the same in a lambda that came earlier. */
  adopt(nodes: readonly SnapshotNode[], module: ProgramModule, built: BuiltValues): void {
    for (const [index, id] of singleClasses(nodes, module)) {
      if (built.has(index)) continue;
      for (const home of this.#homes.get(id) ?? []) {
        const pairs = samePart(home.nodes, home.index, nodes, index);
        if (pairs === undefined) continue;
        for (const [there, here] of pairs)
          if (home.built.has(there) && !built.has(here)) built.set(here, home.built.get(there));
        break;
      }
    }
  }

  /** When all of `nodes` has been made: its classes are there for the lambdas to come. */
  keep(nodes: readonly SnapshotNode[], module: ProgramModule, built: BuiltValues): void {
    for (const [index, id] of singleClasses(nodes, module)) {
      const homes = this.#homes.get(id) ?? [];
      const isKnown = homes.some((home) => home.built.get(home.index) === built.get(index));
      if (isKnown || homes.length >= HOMES_MAX || !built.has(index)) continue;
      this.#homes.set(id, [...homes, { nodes, index, built }]);
    }
  }
}

function* singleClasses(nodes: readonly SnapshotNode[], module: ProgramModule): Iterable<[number, string]> {
  for (const [index, { tag, values }] of nodes.entries()) {
    const id = values[0] as string;
    if (tag === NodeTag.Class && module.factories[id]?.single === true) yield [index, id];
  }
}

/** Which node is which, when what is reachable from `rootA` in `a` is the same as from `rootB` in `b`; else undefined. */
function samePart(
  a: readonly SnapshotNode[],
  rootA: number,
  b: readonly SnapshotNode[],
  rootB: number,
): ReadonlyMap<number, number> | undefined {
  const pairs = new Map([[rootA, rootB]]);
  const taken = new Set([rootB]);
  for (const [indexA, indexB] of pairs) {
    const left = a[indexA];
    const right = b[indexB];
    if (
      left?.tag !== right?.tag ||
      left?.integrity !== right?.integrity ||
      left?.values.length !== right?.values.length
    )
      return undefined;
    for (const [at, value] of (left?.values ?? []).entries()) {
      const other = right?.values[at];
      if (!(value instanceof NodeReference) || !(other instanceof NodeReference)) {
        if (!sameValue(value, other)) return undefined;
        continue;
      }
      const known = pairs.get(value.index);
      if (known === undefined ? taken.has(other.index) : known !== other.index) return undefined;
      pairs.set(value.index, other.index);
      taken.add(other.index);
    }
  }
  return pairs;
}

function sameValue(a: unknown, b: unknown): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  return Object.is(a, b);
}
