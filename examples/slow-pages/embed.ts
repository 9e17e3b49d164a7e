// The same job in this process: KAFKA_BROKERS=127.0.0.1:9092 node tools/run.mjs examples/slow-pages/embed.ts
import { embed } from '@millrace/local';
import job from './job.ts';

const app = await embed(job, { slots: 2, stateDir: './state' });
await app.start();
await app.awaitTermination(); // or app.stop({ graceful: true })
