// What perExecutor values live through: several keys, changed keys, failures, and the ends of tasks, applications and slots.
import { appendFileSync } from 'node:fs';
import { ConsumerStrategies, defineJob, env, LocationStrategies, perExecutor } from '@millrace/api';
import { registry } from './registry.ts';

const journal = env('JOURNAL');
const say = (what: string): void => appendFileSync(journal, `${process.pid} ${what}\n`);

class Connection {
  readonly host: string;
  isOpen = true;

  constructor(host: string) {
    this.host = host;
    say(`open ${host}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.resolve();
    this.isOpen = false;
    say(`close ${this.host}`);
  }
}

let version = 1;
const base = perExecutor(() => new Connection('base'));
/** Asynchronous, with an option of its own, made of another one. */
const pool = perExecutor(
  async () => {
    await Promise.resolve();
    say(`open pool ${version}`);
    return { version, of: base() };
  },
  {
    dispose: async (made) => {
      await Promise.resolve();
      say(`close pool ${made.version}, its base is ${made.of.isOpen ? 'open' : 'closed'}`);
    },
  },
);
/** Several keys of one place, all in use for ever. */
const shards = ['a', 'b'].map((shard) => perExecutor(() => new Connection(shard)));
/** Fails at first: what it failed with is the task's, and the next attempt tries again. */
const flaky = perExecutor(() => {
  const global = globalThis as { attempts?: number };
  global.attempts = (global.attempts ?? 0) + 1;
  if (global.attempts === 1) throw new Error('not yet');
  return { attempts: global.attempts };
});
const broken = perExecutor(
  () => {
    say('open broken');
    return {};
  },
  {
    dispose: () => {
      throw new Error('the dispose hook threw');
    },
  },
);

export default defineJob(
  { name: env('NAME'), batchInterval: '50ms', batches: Number(env('BATCHES')) },
  (ssc) => {
    const rows = ssc.kafka.createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: env('NAME'),
        startFrom: 'earliest',
      }),
    );
    let batches = 0;
    rows.foreachRDD(async () => {
      batches++;
      // The key of `pool` changes; what tasks use keeps its old one until then.
      if (batches === 3) version = 2;
      const { brokers } = { brokers: env('KAFKA_BROKERS') };
      const fixed = await ssc.kafka.createRDD({ brokers }, [
        { topic: env('TOPIC'), partition: 0, from: 0, until: 1 },
      ]);
      const seen = await fixed
        .mapAsync(async () => {
          const { version: used, of } = await pool();
          // Every second batch uses the other shard: both stay.
          const shard = shards.map((connection) => connection().host).join('');
          return `${used} ${of.host} ${shard} ${flaky().attempts} ${registry.use()[2] === process.pid} ${typeof broken()}`;
        })
        .first();
      say(`batch ${batches}: ${seen}`);
      const [first, second] = [registry.use(), await fixed.map(() => registry.use()).first()];
      say(
        `registries ${first[0] === second[0] ? 'are one' : 'differ'}, the executor's was used ${second[1]} times`,
      );
    });
  },
);
