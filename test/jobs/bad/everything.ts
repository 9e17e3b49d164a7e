// As many mistakes as fit into one job.
import { createServer } from 'node:net';
import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

const topic = env('BAD_TOPIC');
const brokers = env('KAFKA_BROKERS');
const server = createServer();
const config = { name: 'bad-everything', batchInterval: '100ms' as const, taskAttempsMax: 3 };

export default defineJob(config, (ssc) => {
  const { PreferConsistent } = LocationStrategies;
  ssc.kafka.createDirectStream(
    PreferConsistent,
    ConsumerStrategies.Subscribe('no-such-topic', { brokers, groupId: 'bad-1', startFrom: 'earliest' }),
  );
  ssc.kafka.createDirectStream(
    PreferConsistent,
    ConsumerStrategies.Subscribe(topic, {
      brokers,
      groupId: 'bad-2',
      startForm: 'earliest',
      autoCommit: true,
    }),
  );
  ssc.kafka.createDirectStream(
    PreferConsistent,
    ConsumerStrategies.Subscribe(topic, {
      brokers,
      groupId: 'bad-3',
      startFrom: 'earliest',
      offsets: { [`${topic}-1`]: 5000 },
    }),
  );
  ssc.kafka.createDirectStream(
    PreferConsistent,
    ConsumerStrategies.Assign(
      [0, 0].map((partition) => ({ topic, partition })),
      {
        brokers,
        groupId: 'bad-4',
        startFrom: 'earliest',
      },
    ),
  );
  ssc.kafka
    .createDirectStream(
      PreferConsistent,
      ConsumerStrategies.Subscribe(topic, { brokers, groupId: `bad-5-${topic}` }),
    )
    .map(async ({ value }) => value)
    .filter(() => server.listening);
});
