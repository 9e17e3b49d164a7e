import type { StreamingContext } from '@millrace/api';
import { VirtualClock } from '../../testing/src/virtual-clock.ts';
import { FakeKafka } from '../src/application/testing/fake-kafka.ts';
import { MemoryLogFiles } from '../src/application/testing/memory-log-files.ts';
import type { EngineSetup } from '../src/application/testing/run-engine.ts';
export type World = ReturnType<typeof world> & Pick<EngineSetup, 'programHash' | 'settings' | 'onlyPending'>;
/** A clock, a Kafka with the topic `views` and an empty log, for one job. */
export declare function world(build: (ssc: StreamingContext) => void, rest?: Pick<EngineSetup, 'config' | 'perform'>): {
    config?: Partial<import("@millrace/api").JobConfig>;
    perform?: ConstructorParameters<typeof import("../src/application/testing/fake-backend.ts").FakeBackend>[0];
    clock: VirtualClock;
    kafka: FakeKafka;
    files: MemoryLogFiles;
    build: (ssc: StreamingContext) => void;
};
//# sourceMappingURL=world.d.ts.map