import type { KeptState } from '@millrace/api/internal';
import {
  corruptState,
  decodeStateHeader,
  STATE_HEADER_BYTES_MAX,
  type StateSectionMeta,
  type StateSectionRef,
} from '@millrace/proto/task';
import type { StateFiles } from './state-files.ts';

/** Deltas that may stand on a snapshot. Partitions differ, so that not all of them write one in the same batch. */
const DELTAS_MAX = 100;
const DELTAS_SPREAD = 32;
/** Deltas of less than this together are not worth a snapshot, unless they are many. */
const SNAPSHOT_BYTES_MIN = 64 * 1024;

/** The sections of one partition's state: a snapshot, and the deltas on it. */
export class StateChain {
  #sections: StateSectionRef[];
  #snapshotBytes: number;
  #deltaBytes: number;

  private constructor(sections: StateSectionRef[], snapshotBytes: number, deltaBytes: number) {
    this.#sections = sections;
    this.#snapshotBytes = snapshotBytes;
    this.#deltaBytes = deltaBytes;
  }

  /** That begins with this snapshot. */
  static of(snapshot: StateSectionRef): StateChain {
    return new StateChain([snapshot], snapshot.bytes, 0);
  }

  /** Walks back from the newest section, and looks at all headers. @throws MillraceError STATE_CORRUPT, VERSION_MISMATCH. */
  static read(files: StateFiles, operator: string, head: StateSectionRef): StateChain {
    const sections: StateSectionRef[] = [];
    let deltaBytes = 0;
    for (let ref = head; ; ) {
      const meta = readHeader(files, operator, ref);
      sections.unshift({ file: ref.file, offset: ref.offset, bytes: ref.bytes, version: ref.version });
      if (meta.kind === 'snapshot') return new StateChain(sections, ref.bytes, deltaBytes);
      deltaBytes += ref.bytes;
      const { previous } = meta;
      if (previous === undefined) throw corruptState(ref.file, 'a delta does not say what it stands on');
      if (sections.some(({ version }) => version === previous.version))
        throw corruptState(ref.file, 'its sections name each other');
      ref = previous;
    }
  }

  /** The oldest first. */
  get sections(): readonly StateSectionRef[] {
    return this.#sections;
  }

  get files(): readonly string[] {
    return this.#sections.map(({ file }) => file);
  }

  append(delta: StateSectionRef): void {
    this.#sections.push(delta);
    this.#deltaBytes += delta.bytes;
  }

  /** The next section should be a snapshot: reading the chain would cost more than the state (amortized, each byte is written twice at most). */
  wantsSnapshot(partition: number): boolean {
    const deltas = this.#sections.length - 1;
    if (deltas >= DELTAS_MAX - ((partition * 7) % DELTAS_SPREAD)) return true;
    return this.#deltaBytes > Math.max(this.#snapshotBytes, SNAPSHOT_BYTES_MIN);
  }
}

function readHeader(files: StateFiles, operator: string, ref: StateSectionRef): StateSectionMeta {
  const size = files.size(ref.file);
  if (size === undefined) throw corruptState(ref.file, 'there is none');
  if (size < ref.offset + ref.bytes) throw corruptState(ref.file, `it is cut off at ${size} bytes`);
  const head = files.read(ref.file, ref.offset, Math.min(ref.bytes, STATE_HEADER_BYTES_MAX));
  const { meta } = decodeStateHeader(head, ref.file);
  if (meta.operator !== operator || meta.version !== ref.version)
    throw corruptState(
      ref.file,
      `it holds version ${meta.version} of "${meta.operator}", not ${ref.version}`,
    );
  return meta;
}

/** The chains of an operator's state, by task partition. @throws MillraceError STATE_CORRUPT, VERSION_MISMATCH. */
export function chainsOf(
  files: StateFiles,
  operator: string,
  { heads }: KeptState,
): ReadonlyArray<StateChain | undefined> {
  return heads.map((head) => head && StateChain.read(files, operator, head));
}
