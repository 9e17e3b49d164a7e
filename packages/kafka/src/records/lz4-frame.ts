const MAGIC = 0x184d2204;
const MAGIC_BYTES = 4;
/** Of the frame descriptor's first byte. */
const FLAG = { blockChecksum: 0x10, contentSize: 0x08, contentChecksum: 0x04, dictionary: 0x01 } as const;
const CHECKSUM_BYTES = 4;
const STORED = 0x80000000;
/** A byte of a length adds at most so many to what a block holds (lz4_Block_format.md). */
const RATIO_MAX = 255;

/**
 * An upper bound of what the LZ4 frames in `bytes` hold, from the sizes of their blocks alone (lz4_Frame_format.md): decoders grow
 * their output as they go, whatever it comes to.
 * @throws RangeError when this is no whole sequence of frames.
 */
export function lz4ContentBytesMax(bytes: Buffer): number {
  let total = 0;
  let at = 0;
  while (at < bytes.length) {
    if (bytes.readUInt32LE(at) !== MAGIC) throw new RangeError('an LZ4 frame does not begin with its magic');
    const flags = bytes.readUInt8(at + MAGIC_BYTES);
    const blockBytesMax = blockBytesMaxOf(bytes.readUInt8(at + MAGIC_BYTES + 1));
    at += MAGIC_BYTES + 3; // flags, block size, header checksum
    if ((flags & FLAG.contentSize) !== 0) at += 8;
    if ((flags & FLAG.dictionary) !== 0) at += 4;
    for (;;) {
      const size = bytes.readUInt32LE(at);
      at += 4;
      if (size === 0) break;
      const stored = size >= STORED;
      const length = stored ? size - STORED : size;
      total += Math.min(blockBytesMax, stored ? length : length * RATIO_MAX);
      at += length;
      if ((flags & FLAG.blockChecksum) !== 0) at += CHECKSUM_BYTES;
    }
    if ((flags & FLAG.contentChecksum) !== 0) at += CHECKSUM_BYTES;
    if (at > bytes.length) throw new RangeError('an LZ4 frame is cut off');
  }
  return total;
}

function blockBytesMaxOf(descriptor: number): number {
  const id = (descriptor >> 4) & 0x7;
  if (id < 4) throw new RangeError(`an LZ4 frame has the block size ${id}`);
  return 2 ** (8 + 2 * id); // 4: 64 KiB … 7: 4 MiB
}
