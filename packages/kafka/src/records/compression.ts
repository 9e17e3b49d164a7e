import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import lz4 from 'lz4-napi';
import snappy from 'snappy';
import type { Compression } from '../kafka-port.ts';
import { lz4ContentBytesMax } from './lz4-frame.ts';

/** In the order of the codec numbers in a batch's attributes. */
export const COMPRESSIONS: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** Of one batch. It stops a damaged or hostile one from taking all memory; `produceBatchBytesMax` is never above it. */
export const DECOMPRESSED_BYTES_MAX = 256 * 1024 * 1024;

// snappy-java's stream format, which Kafka's Java clients write: magic, version, compatible version, then [int32 length, block].
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER_BYTES = 16;
const XERIAL_BLOCK_BYTES = 32 * 1024;

/** @throws Error when the bytes are no valid stream of the codec. */
export function decompress(codec: number, bytes: Buffer): Buffer {
  switch (codec) {
    case 0:
      return bytes;
    case 1:
      return gunzipSync(bytes, { maxOutputLength: DECOMPRESSED_BYTES_MAX });
    case 2:
      return snappyDecompress(bytes);
    case 3:
      return lz4Decompress(bytes);
    case 4:
      return zstdDecompressSync(bytes, { maxOutputLength: DECOMPRESSED_BYTES_MAX });
    default:
      throw new RangeError(`compression codec ${codec} is unknown`);
  }
}

export function compress(codec: number, bytes: Buffer): Buffer {
  switch (codec) {
    case 0:
      return bytes;
    case 1:
      return gzipSync(bytes);
    case 2:
      return snappyCompress(bytes);
    case 3:
      return lz4.compressFrameSync(bytes);
    case 4:
      return zstdCompressSync(bytes);
    default:
      throw new RangeError(`compression codec ${codec} is unknown`);
  }
}

function lz4Decompress(bytes: Buffer): Buffer {
  if (lz4ContentBytesMax(bytes) > DECOMPRESSED_BYTES_MAX) throw new RangeError('LZ4 data is too large');
  return lz4.decompressFrameSync(bytes);
}

// Old Java consumers read only the framed form, so that is what we write.
function snappyCompress(bytes: Buffer): Buffer {
  const header = Buffer.alloc(XERIAL_HEADER_BYTES);
  XERIAL_MAGIC.copy(header);
  header.writeInt32BE(1, 8);
  header.writeInt32BE(1, 12);
  const parts: Buffer[] = [header];
  for (let at = 0; at < bytes.length; at += XERIAL_BLOCK_BYTES) {
    const block = snappy.compressSync(bytes.subarray(at, at + XERIAL_BLOCK_BYTES));
    const length = Buffer.allocUnsafe(4);
    length.writeInt32BE(block.length, 0);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

function snappyDecompress(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return snappyBlock(bytes);
  const blocks: Buffer[] = [];
  let total = 0;
  for (let at = XERIAL_HEADER_BYTES; at < bytes.length; ) {
    const length = bytes.readInt32BE(at);
    at += 4;
    if (length <= 0 || length > bytes.length - at) throw new RangeError('a snappy block has a wrong length');
    const block = snappyBlock(bytes.subarray(at, at + length));
    total += block.length;
    if (total > DECOMPRESSED_BYTES_MAX) throw new RangeError('snappy data is too large');
    blocks.push(block);
    at += length;
  }
  return blocks.length === 1 ? (blocks[0] as Buffer) : Buffer.concat(blocks);
}

function snappyBlock(bytes: Buffer): Buffer {
  // The block begins with its decompressed length (unsigned varint): refuse before it is allocated.
  let length = 0;
  for (let at = 0, shift = 0; at < 5; at++, shift += 7) {
    const byte = bytes[at] ?? 0;
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  if (length > DECOMPRESSED_BYTES_MAX) throw new RangeError('snappy data is too large');
  return snappy.uncompressSync(bytes, { asBuffer: true }) as Buffer;
}
