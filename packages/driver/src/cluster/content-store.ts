import { MillraceError } from '@millrace/common';

/**
 * Content that applications put for their tasks (snapshots, broadcasts), by hash, in memory. The same content of two
 * applications is held once, until both drop it.
 */
export class ContentStore {
  readonly #bytesMax: number;
  readonly #blobs = new Map<string, { readonly content: Uint8Array; readonly owners: Set<string> }>();
  readonly #byOwner = new Map<string, Set<string>>();
  #bytes = 0;

  readonly #onDropped: (hashes: readonly string[]) => void;

  /** `onDropped`: told what nobody owns any more, so that executors need not hold it either. */
  constructor(bytesMax: number, onDropped: (hashes: readonly string[]) => void = () => undefined) {
    this.#bytesMax = bytesMax;
    this.#onDropped = onDropped;
  }

  /** @throws MillraceError MESSAGE_TOO_LARGE when all content together has more bytes than allowed. */
  put(owner: string, hash: string, content: Uint8Array): void {
    const known = this.#blobs.get(hash);
    if (!known) {
      if (this.#bytes + content.length > this.#bytesMax) {
        throw new MillraceError(
          'MESSAGE_TOO_LARGE',
          `${content.length} more bytes of broadcasts and snapshots do not fit: the driver holds ${this.#bytes} of ${this.#bytesMax}`,
          { remedy: 'Destroy broadcasts that are no longer used, or raise contentBytesMax of the driver.' },
        );
      }
      this.#bytes += content.length;
    }
    const blob = known ?? { content, owners: new Set<string>() };
    blob.owners.add(owner);
    this.#blobs.set(hash, blob);
    const owned = this.#byOwner.get(owner) ?? new Set<string>();
    this.#byOwner.set(owner, owned.add(hash));
  }

  get(hash: string): Uint8Array | undefined {
    return this.#blobs.get(hash)?.content;
  }

  drop(owner: string, hashes: Iterable<string>): void {
    const owned = this.#byOwner.get(owner);
    const dropped: string[] = [];
    for (const hash of hashes) {
      if (owned?.delete(hash) !== true) continue;
      const blob = this.#blobs.get(hash);
      blob?.owners.delete(owner);
      if (blob?.owners.size !== 0) continue;
      this.#blobs.delete(hash);
      this.#bytes -= blob.content.length;
      dropped.push(hash);
    }
    if (owned?.size === 0) this.#byOwner.delete(owner);
    if (dropped.length > 0) this.#onDropped(dropped);
  }

  dropAll(owner: string): void {
    this.drop(owner, [...(this.#byOwner.get(owner) ?? [])]);
  }

  get bytes(): number {
    return this.#bytes;
  }
}
