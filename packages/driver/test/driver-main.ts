// A driver as a process of its own: `node driver-main.ts <options as JSON> <host module>`.
import { createLogger } from '@millrace/common';
import { startDriver } from '../src/driver.ts';

const [, , options = '{}', hostEntry = ''] = process.argv;
const driver = await startDriver(JSON.parse(options) as { stateDir: string }, {
  logger: createLogger({ name: 'driver', format: 'json' }),
  hostEntry,
});
process.stdout.write(`${driver.address}\n`);
process.once('SIGTERM', () => void driver.stop({ graceful: true }).then(() => process.exit(0)));
