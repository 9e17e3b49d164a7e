const SEED = 0x9747b28c;
const M = 0x5bd1e995;
const R = 24;

/** Murmur2 as org.apache.kafka.common.utils.Utils#murmur2: keys land where Java producers put them. Returns an int32. */
export function murmur2(data: Uint8Array, length = data.length): number {
  let h = SEED ^ length;
  const words = length & ~3;
  for (let i = 0; i < words; i += 4) {
    let k =
      (data[i] as number) |
      ((data[i + 1] as number) << 8) |
      ((data[i + 2] as number) << 16) |
      ((data[i + 3] as number) << 24);
    k = Math.imul(k, M);
    k ^= k >>> R;
    h = Math.imul(h, M) ^ Math.imul(k, M);
  }
  const rest = length & 3;
  if (rest >= 3) h ^= (data[words + 2] as number) << 16;
  if (rest >= 2) h ^= (data[words + 1] as number) << 8;
  if (rest >= 1) h = Math.imul(h ^ (data[words] as number), M);
  h ^= h >>> 13;
  h = Math.imul(h, M);
  return h ^ (h >>> 15);
}
