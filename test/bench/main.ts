// npm run bench -- NAME [--json] [--topic NAME] [--records N] [--runs N] [--interval MS] [--batches N]; --help lists the names
import { parseArgs } from 'node:util';
import { startJavaKafka } from '../brokers/java-kafka.ts';
import type { BenchResult } from './bench-result.ts';
import { BENCHMARKS } from './benchmarks.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    topic: { type: 'string' },
    help: { type: 'boolean', default: false },
    records: { type: 'string' },
    runs: { type: 'string', default: '3' },
    interval: { type: 'string', default: '100' },
    batches: { type: 'string', default: '300' },
  },
});

const [name = ''] = positionals;
const benchmark = BENCHMARKS[name];
const number = (text: string): number => {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`"${text}" is not a positive integer`);
};

function table(result: BenchResult): string {
  const rows = Object.entries(result).filter(([, value]) => value !== null);
  return rows
    .map(
      ([key, value]) =>
        `${key.padEnd(26)} ${typeof value === 'object' ? JSON.stringify(value) : value.toLocaleString('en')}`,
    )
    .join('\n');
}

const usage = `usage: npm run bench -- ${Object.keys(BENCHMARKS).join('|')} [--json] [--topic NAME] [--records N] [--runs N] [--interval MS] [--batches N]\n`;
if (values.help) {
  process.stdout.write(usage);
} else if (benchmark === undefined || positionals.length !== 1) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else {
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  const given = process.env['KAFKA_BROKERS'];
  const needsKafka = name !== 'closures' && (given === undefined || given === '');
  const kafka = needsKafka ? await startJavaKafka({ heapMb: 2048 }) : undefined;
  if (name !== 'closures') say(`Kafka: ${kafka?.brokers ?? given}`);
  try {
    const result = await benchmark({
      brokers: kafka?.brokers ?? given ?? '',
      records: values.records === undefined ? undefined : number(values.records),
      runs: number(values.runs),
      topic: values.topic,
      intervalMs: number(values.interval),
      batches: number(values.batches),
      say,
    });
    process.stdout.write(`${values.json ? JSON.stringify(result) : table(result)}\n`);
  } finally {
    await kafka?.stop();
  }
}
