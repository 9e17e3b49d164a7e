// One of the two plain processes of the bare loop: the same reader, with nothing around it.
import { connectKafka, type KafkaOptions, type OffsetRange } from '@millrace/kafka';

/** What is done with each record. */
export type BareMode = 'count' | 'json' | 'jsonagg' | 'keys' | 'wordcount' | 'echo';

interface Work {
  readonly client: KafkaOptions;
  readonly ranges: readonly OffsetRange[];
  readonly mode: BareMode;
  /** Where echo writes. */
  readonly out: string | undefined;
}

process.on('message', (work: Work) => {
  void run(work).then((counted) => process.send?.(counted));
});
process.on('disconnect', () => process.exit(0));

const clients = new Map<string, ReturnType<typeof connectKafka>>();

async function run({ client: options, ranges, mode, out }: Work): Promise<number> {
  const key = JSON.stringify(options);
  const client = clients.get(key) ?? connectKafka(options);
  clients.set(key, client);
  let counted = 0;
  const sums = new Map<string, number>();
  const stream = client
    .producer()
    .stream({ deliveryTimeoutMs: 60_000, bufferBytesMax: 32 * 1024 * 1024, firstPartition: 0 });
  for (const range of ranges) {
    const reader = client.reader(range, range.topicId === undefined ? {} : { topicId: range.topicId });
    for await (const columns of reader.read(range, { reuseColumns: true })) {
      if (mode === 'count') {
        counted += columns.n;
        continue;
      }
      if (mode === 'echo') {
        for (let i = 0; i < columns.n; i++) {
          stream.append(out ?? '', columns.key(i), columns.value(i), undefined, undefined, []);
          if (stream.isFull) await stream.ready();
        }
        continue;
      }
      if (mode === 'wordcount') {
        for (let i = 0; i < columns.n; i++)
          for (const word of (columns.valueString(i) as string).split(' '))
            sums.set(word, (sums.get(word) ?? 0) + 1);
        continue;
      }
      if (mode === 'keys') {
        for (let i = 0; i < columns.n; i++) {
          const name = columns.keyString(i) as string;
          sums.set(name, (sums.get(name) ?? 0) + 1);
        }
        continue;
      }
      if (mode === 'jsonagg') {
        for (let i = 0; i < columns.n; i++) {
          const { user, ms } = JSON.parse(columns.valueString(i) as string) as { user: string; ms: number };
          sums.set(user, (sums.get(user) ?? 0) + ms);
        }
        continue;
      }
      for (let i = 0; i < columns.n; i++) {
        const value = JSON.parse(columns.valueString(i) as string) as { ms: number };
        if (value.ms >= 500) counted++;
      }
    }
    await reader.close();
  }
  await stream.finish();
  return counted + sums.size;
}

process.send?.('ready');
