import { VirtualClock } from '../../testing/src/virtual-clock.js';
import { FakeKafka } from '../src/application/testing/fake-kafka.js';
import { MemoryLogFiles } from '../src/application/testing/memory-log-files.js';
/** A clock, a Kafka with the topic `views` and an empty log, for one job. */
export function world(build, rest = {}) {
    const kafka = new FakeKafka();
    kafka.create('views', [100, 50]);
    return { clock: new VirtualClock(), kafka, files: new MemoryLogFiles(), build, ...rest };
}
//# sourceMappingURL=world.js.map