// One of the two plain processes of the bare shuffle: encodes its half of the rows in the engine's blocks, sends the other's half of them, decodes
// and sums what is its own. No files, no stages, no scheduler, no failures.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { hashPartition } from '../../packages/executor/src/shuffle/key-hash.ts';
import { decodeRowBlock, RowBuffer } from '../../packages/executor/src/shuffle/row-block.ts';
import { shuffleChunk, shuffleKeys } from './shuffle-rows.ts';

const PARTITIONS = 4;
const BLOCK_BYTES = 256 * 1024;

export interface ShuffleWork {
  /** 0 or 1: makes every second chunk, and sums every second partition. */
  readonly half: number;
  readonly chunks: number;
  /** Where the other process listens. */
  readonly port: number;
}

export interface ShuffleTotal {
  readonly keys: number;
  readonly sum: number;
}

const keys = shuffleKeys();
let current = nextRun();

function sum(partition: number, block: Buffer): void {
  const into = current.sums[partition] as Map<unknown, number>;
  const rows = decodeRowBlock(block, {});
  for (let at = 0; at < rows.rows; at++)
    into.set(rows.keys[at], (into.get(rows.keys[at]) ?? 0) + (rows.values[at] as number));
}

/** Sums the frames of one connection: bytes and partition (4 bytes each), a block. */
async function receive(socket: Socket): Promise<void> {
  let parts: Buffer[] = [];
  let bytes = 0;
  let wanted = 8;
  for await (const part of socket as AsyncIterable<Buffer>) {
    parts.push(part);
    bytes += part.length;
    if (bytes < wanted) continue;
    let rest = parts.length === 1 ? part : Buffer.concat(parts);
    while (rest.length >= 8 && rest.length >= 8 + rest.readUInt32LE(0)) {
      const end = 8 + rest.readUInt32LE(0);
      sum(rest.readUInt32LE(4), rest.subarray(8, end));
      rest = rest.subarray(end);
    }
    wanted = rest.length >= 8 ? 8 + rest.readUInt32LE(0) : 8;
    parts = [rest];
    bytes = rest.length;
  }
}

/** What one run sums and waits for. The other process may begin to send before this one is told to: so it is made before. */
function nextRun() {
  const received = Promise.withResolvers<void>();
  return { sums: Array.from({ length: PARTITIONS }, () => new Map<unknown, number>()), received };
}

async function run({ half, chunks, port }: ShuffleWork): Promise<ShuffleTotal> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const buffers = Array.from({ length: PARTITIONS }, () => new RowBuffer(''));
  const send = async (partition: number, buffer: RowBuffer): Promise<void> => {
    const block = buffer.take();
    if (partition % 2 === half) {
      sum(partition, block);
      return;
    }
    const header = Buffer.alloc(8);
    header.writeUInt32LE(block.length, 0);
    header.writeUInt32LE(partition, 4);
    socket.write(header);
    if (!socket.write(block)) await once(socket, 'drain');
  };
  for (let chunk = half; chunk < chunks; chunk += 2) {
    for (const [key, value] of shuffleChunk(keys, chunk))
      (buffers[hashPartition(key, PARTITIONS)] as RowBuffer).add(key, value);
    for (const [partition, buffer] of buffers.entries())
      if (buffer.bytes >= BLOCK_BYTES) await send(partition, buffer);
  }
  for (const [partition, buffer] of buffers.entries()) await send(partition, buffer);
  socket.end();
  await current.received.promise;
  const mine = current.sums.flatMap((map) => [...map.values()]);
  current = nextRun();
  return { keys: mine.length, sum: mine.reduce((a, b) => a + b, 0) };
}

const server = createServer((socket) => current.received.resolve(receive(socket))).listen(0, '127.0.0.1');
await once(server, 'listening');
process.on('message', (work: ShuffleWork) => void run(work).then((total) => process.send?.(total)));
process.on('disconnect', () => process.exit(0));
process.send?.((server.address() as { port: number }).port);
