import { Buffer } from 'node:buffer';
import { MillraceError } from '@millrace/common';
import { Integrity, type NodeTag, RESTRICTED, SNAPSHOT_VERSION, TIED, ValueTag } from './snapshot-format.ts';

/** A value that is another node. */
export class NodeReference {
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }
}

/** A missing element of a sparse array. */
export const HOLE = Symbol('hole');

export interface SnapshotNode {
  readonly tag: NodeTag;
  readonly isTied: boolean;
  readonly integrity: Integrity;
  /** Primitives, Uint8Array for bytes, NodeReference, HOLE. */
  readonly values: readonly unknown[];
}

/** Reads the node table. Every container that it makes belongs to the realm of this module. */
export function readSnapshot(bytes: Uint8Array): SnapshotNode[] {
  return new SnapshotReader(bytes).nodes();
}

class SnapshotReader {
  readonly #bytes: Buffer;
  readonly #names: string[] = [];
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  nodes(): SnapshotNode[] {
    const version = this.#byte();
    if (version !== SNAPSHOT_VERSION) throw corrupt(`version ${version} is not ${SNAPSHOT_VERSION}`);
    const count = this.#varint();
    const nodes: SnapshotNode[] = [];
    for (let i = 0; i < count; i++) {
      const tag = this.#byte();
      const integrity = (tag & RESTRICTED) === 0 ? Integrity.Extensible : (this.#byte() as Integrity);
      const values: unknown[] = [];
      for (let left = this.#varint(); left > 0; left--) values.push(this.#value());
      nodes.push({
        tag: (tag & ~TIED & ~RESTRICTED) as NodeTag,
        isTied: (tag & TIED) !== 0,
        integrity,
        values,
      });
    }
    if (this.#at !== this.#bytes.length) throw corrupt('there are bytes after its end');
    return nodes;
  }

  #value(): unknown {
    const tag = this.#byte();
    switch (tag) {
      case ValueTag.Undefined:
        return undefined;
      case ValueTag.Null:
        return null;
      case ValueTag.True:
        return true;
      case ValueTag.False:
        return false;
      case ValueTag.Integer: {
        const zigzag = this.#varint();
        return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
      }
      case ValueTag.Double:
        return this.#bytes.readDoubleLE(this.#take(8));
      case ValueTag.BigInt:
        return BigInt(this.#value() as string);
      case ValueTag.Reference:
        return new NodeReference(this.#varint());
      case ValueTag.NewName: {
        const name = this.#value() as string;
        this.#names.push(name);
        return name;
      }
      case ValueTag.Name:
        return this.#names[this.#varint()];
      case ValueTag.Bytes: {
        const size = this.#varint();
        const from = this.#take(size);
        return new Uint8Array(this.#bytes.subarray(from, from + size));
      }
      case ValueTag.Hole:
        return HOLE;
      default:
        return this.#text(tag);
    }
  }

  #text(tag: number): string {
    const size = this.#varint();
    const from = this.#take(size);
    switch (tag) {
      case ValueTag.Latin1:
        return this.#bytes.toString('latin1', from, from + size);
      case ValueTag.Utf8:
        return this.#bytes.toString('utf8', from, from + size);
      case ValueTag.Utf16:
        return this.#bytes.toString('utf16le', from, from + size);
      default:
        throw corrupt(`value tag ${tag} is not known`);
    }
  }

  #byte(): number {
    return this.#bytes[this.#take(1)] ?? 0;
  }

  #varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      if (scale > 2 ** 49) throw corrupt('a number is too long');
    }
  }

  #take(size: number): number {
    const from = this.#at;
    if (from + size > this.#bytes.length) throw corrupt('it ends in the middle of a value');
    this.#at = from + size;
    return from;
  }
}

function corrupt(what: string): MillraceError {
  return new MillraceError('BAD_REQUEST', `A closure snapshot cannot be read: ${what}`, {
    remedy: 'Driver and executor must run the same version of Millrace.',
  });
}
