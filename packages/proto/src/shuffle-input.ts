import type { ShuffleBlockMessage } from './task-messages.ts';

/** A ShuffleInput of task.proto: blocks as columns, and each place once. */
export interface ShuffleInputWire {
  readonly places: readonly BlockPlaceWire[];
  readonly place: readonly number[];
  readonly mapPartition: readonly number[];
  readonly bytes: readonly number[];
  readonly data: readonly Uint8Array[];
  readonly offset: readonly number[];
}

interface BlockPlaceWire {
  readonly executorId: string;
  readonly address: string;
  readonly directory: string;
  readonly attempt: number;
  readonly bucket: number;
  readonly inline: boolean;
  readonly file: string;
}

/** In the same order. */
export function shuffleInputToWire(blocks: readonly ShuffleBlockMessage[]): ShuffleInputWire {
  const places: BlockPlaceWire[] = [];
  const known = new Map<string, number>();
  const wire = {
    places,
    place: [] as number[],
    mapPartition: [] as number[],
    bytes: [] as number[],
    data: [] as Uint8Array[],
    offset: [] as number[],
  };
  for (const block of blocks) {
    const { executorId, address, directory, attempt, bucket, data, section } = block;
    const inline = data !== undefined;
    const file = section?.file ?? '';
    const name = JSON.stringify([executorId, address, directory, attempt, bucket, inline, file]);
    let index = known.get(name);
    if (index === undefined) {
      index = places.push({ executorId, address, directory, attempt, bucket, inline, file }) - 1;
      known.set(name, index);
    }
    wire.place.push(index);
    wire.mapPartition.push(block.mapPartition);
    wire.bytes.push(block.bytes);
    if (data) wire.data.push(data);
    if (section) wire.offset.push(section.offset);
  }
  return wire;
}

/** Undefined: the columns do not fit together. */
export function shuffleInputFromWire(wire: ShuffleInputWire): readonly ShuffleBlockMessage[] | undefined {
  const { places, place, mapPartition, bytes, data, offset } = wire;
  if (place.length !== mapPartition.length || place.length !== bytes.length) return undefined;
  const inline = data.values();
  const offsets = offset.values();
  const blocks: ShuffleBlockMessage[] = [];
  for (const [at, index] of place.entries()) {
    const of = places[index];
    if (!of) return undefined;
    const { inline: isInline, file, ...where } = of;
    const block = { ...where, mapPartition: mapPartition[at] as number, bytes: bytes[at] as number };
    const own = isInline ? inline.next().value : undefined;
    const begins = file === '' ? undefined : offsets.next().value;
    if ((isInline && !own) || (file !== '' && begins === undefined)) return undefined;
    blocks.push({
      ...block,
      ...(own && { data: own }),
      ...(begins !== undefined && { section: { file, offset: begins } }),
    });
  }
  return blocks;
}
