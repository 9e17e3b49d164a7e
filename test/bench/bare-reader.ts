// One of the two plain processes of the bare loop: the same reader, with nothing around it.
import { connectKafka, type KafkaOptions, type OffsetRange } from '@millrace/kafka';

interface Work {
  readonly client: KafkaOptions;
  readonly ranges: readonly OffsetRange[];
  readonly mode: 'count' | 'json';
}

process.on('message', (work: Work) => {
  void run(work).then((counted) => process.send?.(counted));
});
process.on('disconnect', () => process.exit(0));

const clients = new Map<string, ReturnType<typeof connectKafka>>();

async function run({ client: options, ranges, mode }: Work): Promise<number> {
  const key = JSON.stringify(options);
  const client = clients.get(key) ?? connectKafka(options);
  clients.set(key, client);
  let counted = 0;
  for (const range of ranges) {
    const reader = client.reader(range, range.topicId === undefined ? {} : { topicId: range.topicId });
    for await (const columns of reader.read(range, { reuseColumns: true })) {
      if (mode === 'count') {
        counted += columns.n;
        continue;
      }
      for (let i = 0; i < columns.n; i++) {
        const value = JSON.parse(columns.valueString(i) as string) as { ms: number };
        if (value.ms >= 500) counted++;
      }
    }
    await reader.close();
  }
  return counted;
}

process.send?.('ready');
